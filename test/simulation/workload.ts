import type { Chance } from "./chance.ts";

/** Everything that can be done to a daemon from outside. */
export const itemKinds = [
  "post",
  "post list",
  "post again",
  "post and wait",
  "create session",
  "patch session",
  "delete session",
  "cancel",
  "retry message",
  "retry session",
  "restart session",
  "read",
  "follow",
  "edit file",
  "edit slowly",
  "edit address",
  "edit vendor",
  "spoil file",
  "touch file",
  "key file",
  "patch settings",
  "put settings",
  "rollback",
  "reload",
  "apply",
  "release",
  "restart daemon",
  "stop daemon",
  "mood",
  "store fault",
  "settings read-only",
  "port taken",
  "watch lost",
  "crash now",
  "crash soon",
  "wait",
  "wait long",
] as const;

/** One of `itemKinds`. */
export type ItemKind = (typeof itemKinds)[number];

/** One thing that will be done; the seed decides about its details. */
export interface Item {
  readonly kind: ItemKind;
  readonly seed: number;
}

type Weights = Partial<Record<ItemKind, number>>;

const ordinary: Required<Record<ItemKind, number>> = {
  post: 40,
  "post list": 4,
  "post again": 3,
  "post and wait": 4,
  "create session": 2,
  "patch session": 4,
  "delete session": 1.5,
  cancel: 5,
  "retry message": 2,
  "retry session": 1,
  "restart session": 3,
  read: 5,
  follow: 0.5,
  "edit file": 8,
  "edit slowly": 1,
  "edit address": 0.5,
  "edit vendor": 0.7,
  "spoil file": 1.5,
  "touch file": 0.5,
  "key file": 1,
  "patch settings": 4,
  "put settings": 0.5,
  rollback: 1,
  reload: 1,
  apply: 1,
  release: 1,
  "restart daemon": 1,
  "stop daemon": 0.5,
  mood: 8,
  "store fault": 1,
  "settings read-only": 0.3,
  "port taken": 0.3,
  "watch lost": 0.3,
  "crash now": 0.5,
  "crash soon": 1,
  wait: 12,
  "wait long": 1,
};

/** What a search looks at most, as factors of what is ordinary. */
export const profiles: Readonly<Record<string, Weights>> = {
  default: {},
  crashes: { "crash now": 6, "crash soon": 8, "stop daemon": 3, mood: 2, "wait long": 0.3 },
  edits: {
    "edit file": 3,
    "edit slowly": 4,
    "edit vendor": 4,
    "spoil file": 4,
    "touch file": 3,
    "key file": 4,
    "patch settings": 3,
    rollback: 3,
    apply: 3,
  },
  providers: { mood: 5, release: 4, "edit file": 1.5, "retry session": 3, cancel: 2 },
  restarts: {
    "restart daemon": 8,
    "stop daemon": 5,
    "restart session": 6,
    "edit address": 8,
    "port taken": 4,
    follow: 3,
  },
  storage: {
    "store fault": 12,
    "crash soon": 3,
    "settings read-only": 5,
    "spoil file": 4,
    "edit file": 1.5,
    "crash now": 4,
  },
};

/** Looks at one profile in each life, by chance. */
export const anyProfile = "all";

/** What will be done in one life. */
export function planLife(profile: string, chance: Chance): Item[] {
  const chosen = profile === anyProfile ? chance.pickAny(Object.keys(profiles)) : profile;
  const factors = profiles[chosen ?? ""] ?? {};
  const weights = itemKinds.map((kind) => ordinary[kind] * (factors[kind] ?? 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const length = 30 + chance.below(300);
  return Array.from({ length }, () => ({
    kind: someKind(weights, chance.next() * total),
    seed: chance.seed(),
  }));
}

function someKind(weights: readonly number[], at: number): ItemKind {
  let left = at;
  for (const [place, kind] of itemKinds.entries()) {
    left -= weights[place] ?? 0;
    if (left < 0) return kind;
  }
  return "wait";
}

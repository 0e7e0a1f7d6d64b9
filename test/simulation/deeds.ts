import type { Mood, Server } from "./call-script.ts";
import type { Chance } from "./chance.ts";
import type { Clients } from "./clients.ts";
import type { Editor } from "./editor.ts";
import type { Document, Fault } from "./history.ts";
import { badText, merged, someAddress, someChange } from "./settings-texts.ts";
import type { StoreFault } from "./surviving-database.ts";
import type { User } from "./user.ts";
import type { Item, ItemKind } from "./workload.ts";
import type { World } from "./world.ts";

const moods: readonly [Mood, ...Mood[]] = [
  "well",
  "well",
  "well",
  "slow",
  "rate_limited",
  "rate_limited",
  "unreachable",
  "overloaded",
  "auth",
  "not_found",
  "context_overflow",
  "invalid_request",
  "empty",
  "cut",
  "hanging",
  "babbling",
  "lying",
  "ignoring",
  "changing",
];

/** What a deed can be done to. */
export interface Stage {
  world: World;
  servers: readonly Server[];
  clients: Clients;
  user: User;
  editor: Editor;
}

/** Does what an item says. */
export function perform({ kind }: Item, stage: Stage, chance: Chance): void {
  deeds[kind](stage, chance);
}

type Deed = (stage: Stage, chance: Chance) => void;

const deeds: Readonly<Record<ItemKind, Deed>> = {
  post: ({ user }, chance) => user.post(chance, chance.pick([1, 1, 2, 3, 5])),
  "post list": ({ user }, chance) => user.postList(chance),
  "post again": ({ user }, chance) => user.postAgain(chance),
  "post and wait": ({ user }, chance) => user.postAndWait(chance),
  "create session": ({ user }, chance) => user.createSession(chance),
  "patch session": ({ user }, chance) => user.patchSession(chance),
  "delete session": ({ user }, chance) => user.deleteSession(chance),
  cancel: ({ user }, chance) => user.cancel(chance),
  "retry message": ({ user }, chance) => user.retryMessage(chance),
  "retry session": ({ user }, chance) => user.retrySession(chance),
  "restart session": ({ user }, chance) => user.restartSession(chance),
  read: ({ user }, chance) => user.read(chance),
  follow: ({ user }, chance) => user.follow(chance),
  "edit file": ({ editor }, chance) => editor.save(someChange(chance), chance),
  "edit address": ({ editor }, chance) => editor.save(someAddress(chance), chance),
  "edit vendor": editVendor,
  "edit slowly": ({ editor }, chance) =>
    editor.saveSlowly(someChange(chance), chance.pick([1, 100, 450, 2000, 8000]), chance),
  "spoil file": ({ editor }, chance) => editor.spoil(chance),
  "touch file": ({ editor }) => editor.touch(),
  "key file": ({ editor }, chance) => editor.keyFile(chance),
  "patch settings": patchSettings,
  "put settings": ({ clients, editor }, chance) => {
    const body = chance.happens(0.2)
      ? badText(editor.raw, chance).text
      : merged(editor.raw, someChange(chance));
    clients.ask({ method: "PUT", path: "/api/settings", body, via: "socket" });
  },
  rollback: ({ clients }, chance) => {
    const body = { revision: 1 + chance.below(12) };
    clients.ask({ method: "POST", path: "/api/settings/rollback", body, via: "socket" });
  },
  reload: ({ clients, world }, chance) => {
    if (chance.happens(0.6)) order(clients, "/api/settings/reload");
    else world.reload();
  },
  apply: ({ clients }) => order(clients, "/api/settings/apply"),
  release: ({ clients }) => order(clients, "/api/settings/release"),
  "restart daemon": ({ clients, world }, chance) => {
    if (chance.happens(0.5)) order(clients, "/api/daemon/restart");
    else world.restart();
  },
  "stop daemon": ({ clients, world }, chance) => {
    if (chance.happens(0.3)) order(clients, "/api/daemon/stop");
    else world.stop();
  },
  mood: ({ servers, world }, chance) => {
    const server = chance.pickAny(servers);
    if (!server) return;
    server.mood = chance.pick(moods);
    const phase = server.mood === "well" ? "ends" : "begins";
    world.see({ kind: "fault", fault: "provider", phase, detail: `${server.endpoint} ${server.mood}` });
  },
  "store fault": storeFault,
  "settings read-only": ({ world, editor }, chance) => {
    const isOn = chance.happens(0.5);
    editor.protect(isOn);
    tell(world, "settings read-only", isOn);
  },
  "port taken": ({ world }, chance) => {
    const port = chance.pick([4747, 4748]);
    const isOn = !world.network.taken.delete(port);
    if (isOn) world.network.taken.add(port);
    tell(world, "port taken", isOn, String(port));
  },
  "watch lost": ({ world }) => {
    const { watches } = world;
    tell(world, "watch lost", watches.isWorking);
    if (watches.isWorking) watches.breakDown();
    else watches.isWorking = true;
  },
  "crash now": ({ world }) => world.process?.kill("idle"),
  "crash soon": crashSoon,
  wait: () => {},
  "wait long": () => {},
};

function order(clients: Clients, path: string): void {
  clients.ask({ method: "POST", path, body: {}, via: "socket" });
}

/** The one provider that cannot be used without a key: who wants it waits for one, or is not let want it. */
function editVendor({ editor, user }: Stage, chance: Chance): void {
  if (chance.happens(0.3)) user.wishFor("vendor", chance);
  const apiKey = chance.happens(0.5) ? null : "key-of-vendor";
  editor.save({ providers: { vendor: { apiKey } } }, chance);
}

/** Now and then somebody asks for what is wrong, or moves a provider and says nothing of its key. */
const oddPatches: Readonly<Record<number, Document>> = {
  2: { turn: { maxAttempts: -1 } },
  3: { providers: { second: { baseUrl: "http://elsewhere.example/v1" } } },
};

function patchSettings({ clients, editor, user, world }: Stage, chance: Chance): void {
  const luck = chance.below(10);
  const headers: Record<string, string> = luck === 0 ? { "If-Match": `"${1 + chance.below(10)}"` } : {};
  const path = luck === 1 ? "/api/settings?dryRun=1" : "/api/settings";
  const body = oddPatches[luck] ?? someChange(chance);
  if (chance.happens(0.4)) meanwhile(world, chance.below(10), () => editor.save(someChange(chance), chance));
  if (chance.happens(0.3)) meanwhile(world, chance.below(20), () => user.post(chance));
  const via = chance.happens(0.8) ? "socket" : "tcp";
  const ask = (): void => void clients.ask({ method: "PATCH", path, headers, body, via });
  if (chance.happens(0.2)) world.onceAnswered = ask;
  else ask();
}

/** Now and then in the middle of an edit, and whoever starts it again finds a file that is bad. */
function crashSoon(stage: Stage, chance: Chance): void {
  const { world, editor } = stage;
  world.boot();
  if (chance.happens(0.4)) {
    world.process?.atDeath(() => editor.spoil(chance));
    patchSettings(stage, chance);
  }
  world.process?.doom(chance.below(40));
}

/** Something happens while the outside is at work on something else, after so much of that. */
function meanwhile(world: World, works: number, act: () => void): void {
  world.scheduler.soon(() => {
    if (works > 0) return meanwhile(world, works - 1, act);
    world.beginStep();
    act();
  });
}

const storeFaults: readonly [StoreFault, ...StoreFault[]] = [
  "store busy",
  "store full",
  "commit fails",
  "store unreadable",
  "store slow",
];

function storeFault({ world }: Stage, chance: Chance): void {
  const { faults } = world.database;
  const fault = chance.pick(storeFaults);
  const isOn = !faults.delete(fault);
  if (isOn) faults.add(fault);
  if (fault === "store full") world.disk.isFull = isOn;
  tell(world, fault, isOn);
}

function tell(world: World, fault: Fault, isOn: boolean, detail = ""): void {
  world.see({ kind: "fault", fault, phase: isOn ? "begins" : "ends", detail });
}

/** Every fault ends, and the file is good again. */
export function calmDown({ world, servers, editor }: Stage): void {
  world.onceAnswered = undefined;
  for (const fault of world.database.faults) tell(world, fault, false);
  world.database.faults.clear();
  world.disk.isFull = false;
  for (const server of servers) {
    if (server.mood !== "well")
      world.see({ kind: "fault", fault: "provider", phase: "ends", detail: `${server.endpoint} well` });
    server.mood = "well";
  }
  if (world.network.taken.size > 0) tell(world, "port taken", false);
  world.network.taken.clear();
  if (!world.watches.isWorking) tell(world, "watch lost", false);
  world.watches.isWorking = true;
  editor.protect(false);
  editor.repair();
}

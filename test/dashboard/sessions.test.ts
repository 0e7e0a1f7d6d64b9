import { expect, test } from "bun:test";
import { chosen, filterOf, labelsOf, queryOf } from "../../src/dashboard/sessions/session-filter.ts";
import { whereaboutsOf, whyElsewhere } from "../../src/dashboard/sessions/whereabouts.ts";
import type { ShownSession } from "../../src/dashboard/link/answers.ts";
import { shownSession } from "../support/shown-session.ts";

const at = "2026-01-01T00:00:00.000Z";

function session(id: string, of: Partial<ShownSession> = {}): ShownSession {
  const second = { provider: "second", model: "two", bindingRevision: 2 };
  return shownSession(id, at, { ...second, ...of });
}

const overrides = { provider: "own", model: null, mode: null };
const moving = { reason: "provider_changed", requestedAt: at, blockedBy: "turn" } as const;
const hold = {
  provider: "second",
  model: "two",
  endpoint: "http://127.0.0.1:1",
  reason: "auth",
  since: at,
  sessions: 1,
  runningUnder: { provider: "first", model: "one" },
};
const inForce = { provider: "second", held: [hold] };

const stands: [string, ShownSession, string | undefined][] = [
  ["on the provider in force", session("a"), undefined],
  ["unloaded", session("a", { state: "unloaded", provider: "first" }), undefined],
  [
    "due to move",
    session("a", { provider: "first", pendingRestart: moving }),
    "Moves: another provider; ends its turn first",
  ],
  ["pinned", session("a", { provider: "own", overrides }), "Pinned to its own provider"],
  ["back under what worked", session("a", { provider: "first" }), "Went back: key refused"],
  [
    "pinned to what is held, and back",
    session("a", { provider: "first", overrides: { ...overrides, provider: "second" } }),
    "Went back: key refused",
  ],
];

test.each(stands)("a session that is %s says why it is not on the provider in force", (_name, given, why) => {
  expect(whyElsewhere(whereaboutsOf(given, inForce))).toBe(why);
});

const all = [
  session("gamma", { labels: { team: "red" }, turns: 3, state: "busy" }),
  session("beta", { title: "Second letter", turns: 9, provider: "first", pendingRestart: moving }),
  session("alpha", { labels: { team: "blue", project: "/home/x" }, turns: 1 }),
];

const choices: [string, string[]][] = [
  ["", ["gamma", "beta", "alpha"]],
  ["order=ascending", ["alpha", "beta", "gamma"]],
  ["show=busy", ["gamma"]],
  ["show=elsewhere", ["beta"]],
  ["label=team:blue", ["alpha"]],
  ["search=LETTER%20second", ["beta"]],
  ["search=/home", ["alpha"]],
  ["search=nothing", []],
  ["sort=turns", ["beta", "gamma", "alpha"]],
  ["sort=name&order=ascending", ["alpha", "gamma", "beta"]],
  ["show=nonsense&sort=nonsense", ["gamma", "beta", "alpha"]],
];

test.each(choices)("the filter %j lets the right sessions through, in its order", (query, ids) => {
  expect(chosen(all, filterOf(query), inForce).map(({ id }) => id)).toEqual(ids);
});

test("an address says a filter as it is, and nothing where it lets everything through", () => {
  for (const query of [
    "show=waiting&search=a+b&label=team%3Ared&sort=pending&order=ascending",
    "search=x",
    "",
  ])
    expect(queryOf(filterOf(query))).toBe(query);
});

test("labels are listed once, in order", () => {
  expect(labelsOf(all)).toEqual(["project:/home/x", "team:blue", "team:red"]);
});

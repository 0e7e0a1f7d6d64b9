import { expect, test } from "bun:test";
import { movedTo } from "../../src/dashboard/link/address.ts";
import { changedValues } from "../../src/dashboard/overview/changed-values.ts";
import { eventText } from "../../src/dashboard/words/event-text.ts";
import { agoText, durationText, untilText } from "../../src/dashboard/words/time-text.ts";

const second = 1000;
const lengths: [number, string][] = [
  [-5, "0 s"],
  [999, "0 s"],
  [59 * second, "59 s"],
  [60 * second, "1 min"],
  [3600 * second, "1 h"],
  [7500 * second, "2 h 5 min"],
  [(4 * 24 + 1) * 3600 * second, "4 d 1 h"],
];

test.each(lengths)("%d ms are told as %j", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test("a moment is told from now, whichever way", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect([agoText(now - 5000, now), agoText(now, now)]).toEqual(["5 s ago", "just now"]);
  expect([untilText(now + 5000, now), untilText(now - 1, now)]).toEqual(["in 5 s", "now"]);
});

test("what changed is told as it was and is, whatever comments stand around it", () => {
  const before = `{ "provider": "a", /* old */ "providers": { "my.own": { "model": "m" } }, }`;
  const after = `{ "provider": "b", "turn": { "system": "" }, "agents": { "exclude": ["x"] } }`;
  const keys = ["provider", "providers.my.own.model", "turn.system", "agents.exclude", "log.level"];
  expect(changedValues(keys, before, after)).toEqual([
    { key: "provider", before: "a", after: "b" },
    { key: "providers.my.own.model", before: "m", after: "default" },
    { key: "turn.system", before: "default", after: '""' },
    { key: "agents.exclude", before: "default", after: '["x"]' },
    { key: "log.level", before: "default", after: "default" },
  ]);
  expect(changedValues(["provider"], null, "{}")).toEqual([
    { key: "provider", before: "default", after: "default" },
  ]);
});

const moves: [here: string, before: string, url: string, goesTo: string | undefined][] = [
  ["http://127.0.0.1:1/#/x", "http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:2/#/x"],
  ["http://localhost:1/", "http://127.0.0.1:1", "http://127.0.0.1:2", "http://localhost:2/"],
  ["http://127.0.0.1:1/", "http://127.0.0.1:1", "http://127.0.0.1:1", undefined],
  // Through a tunnel: what the page came by has not moved.
  ["http://localhost:8080/", "http://127.0.0.1:1", "http://127.0.0.1:2", undefined],
  ["https://segue.example.com/", "http://192.0.2.7:1", "http://192.0.2.7:2", undefined],
  ["http://192.0.2.7:1/#/", "http://192.0.2.7:1", "http://192.0.2.8:1", "http://192.0.2.8:1/#/"],
  ["http://192.0.2.7:1/", "http://0.0.0.0:1", "http://0.0.0.0:2", "http://192.0.2.7:2/"],
];

test.each(moves)(
  "a page at %s of a daemon at %s that serves at %s goes to %p",
  (here, before, url, goesTo) => {
    expect(movedTo(new URL(here), before, url)).toBe(goesTo);
  },
);

const told: [string, Record<string, unknown>, string][] = [
  ["message.done", { session: "notes", seq: 7 }, "notes: message done 7"],
  ["daemon.started", { instanceId: "i" }, "daemon started"],
  [
    "settings.changed",
    { revision: 2, changedKeys: ["provider", "turn.mode"] },
    "Revision 2 is in force: provider, turn.mode",
  ],
  ["rollout.started", { revision: 2, total: 1 }, "A rollout of revision 2 began: 1 session"],
  ["session.restarted", { session: "a", reason: "model_changed" }, "a moved: another model"],
  ["session.waiting", { session: "a", for: "slot", until: null }, "a waits: free slot"],
  ["something.new", { session: "a" }, "a: something new"],
];

test.each(told)("%s is told in words", (type, data, text) => {
  expect(eventText({ id: 1, type, at: 0, data })).toBe(text);
});

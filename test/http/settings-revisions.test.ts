import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { eventually } from "../support/eventually.ts";
import { problemOf, refusal } from "./asking.ts";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

interface Status {
  revision: number;
  mode: string;
  waiting: { changedKeys: string[] } | null;
  problems: object[];
}

interface History {
  items: { revision: number; source: string; changedKeys: string[]; settings: string | null }[];
  next: string | null;
}

const post = (json: unknown = {}) => ({ method: "POST", json });
const textOf = (app: DaemonApp): string => readFileSync(app.settingsPath, "utf8");
const statusOf = (app: DaemonApp): Promise<Status> => app.json("/api/settings/status");

async function toldTypes(app: DaemonApp): Promise<string[]> {
  const events = await app.services.store.events.after(0, 1000);
  return events.map(({ type }) => type).filter((type) => type.startsWith("settings."));
}

describe("in manual mode", () => {
  const manual = '{ "reload": { "mode": "manual" } }';
  const edited = '{ "reload": { "mode": "manual" }, "turn": { "maxAttempts": 9 } }';

  async function startManual(): Promise<DaemonApp> {
    const app = await startApp({ reload: { mode: "manual" } });
    await app.edit(edited);
    return app;
  }

  test("an edit by hand is judged, planned and shown as waiting, and not in force", async () => {
    const app = await startManual();
    expect(await statusOf(app)).toMatchObject({
      revision: 1,
      mode: "manual",
      waiting: { changedKeys: ["turn.maxAttempts"] },
    });
    expect(await app.json("/api/settings")).toMatchObject({ settings: { turn: { maxAttempts: 5 } } });
    await eventually("the plan is told", async () => (await toldTypes(app)).length === 3);
    expect(await toldTypes(app)).toEqual(["settings.planned", "settings.changed", "settings.planned"]);
  });

  test("apply puts it in force, once", async () => {
    const app = await startManual();
    expect(await app.json<Status>("/api/settings/apply", post())).toMatchObject({
      revision: 2,
      waiting: null,
    });
    expect(await app.json("/api/settings")).toMatchObject({ settings: { turn: { maxAttempts: 9 } } });
    expect(await refusal(await app.ask("/api/settings/apply", post()))).toBe("409 nothing_waiting");
    expect((await toldTypes(app)).slice(2)).toEqual(["settings.planned", "settings.changed"]);
    const { items } = await app.json<History>("/api/settings/history");
    expect(items[0]).toMatchObject({ revision: 2, source: "file", settings: edited });
  });

  test("apply reads the file first, so that an edit made just now is meant too", async () => {
    const app = await startManual();
    writeFileSync(app.settingsPath, edited.replace("9", "8"));
    await app.json("/api/settings/apply", post());
    expect(await app.json("/api/settings")).toMatchObject({ settings: { turn: { maxAttempts: 8 } } });
    writeFileSync(app.settingsPath, "{");
    expect(await problemOf(await app.ask("/api/settings/apply", post()))).toMatchObject({
      status: 422,
      code: "settings_invalid",
      errors: [{ line: 1 }],
    });
  });

  test("an edit that is taken back, or becomes bad, waits no longer", async () => {
    const app = await startManual();
    await app.edit("{");
    expect(await statusOf(app)).toMatchObject({ waiting: null, problems: [{ line: 1 }] });
    await app.edit(edited);
    expect(await statusOf(app)).toMatchObject({
      waiting: { changedKeys: ["turn.maxAttempts"] },
      problems: [],
    });
    await app.edit(`${manual} // only a comment`);
    expect(await statusOf(app)).toMatchObject({ revision: 1, waiting: null, problems: [] });
  });

  test("an edit by API over one that waits is refused; without one it is in force at once", async () => {
    const app = await startManual();
    const patch = { method: "PATCH", json: { turn: { retryMs: 7 } } };
    expect(await refusal(await app.ask("/api/settings", patch))).toBe("409 edits_waiting");
    expect(await refusal(await app.ask("/api/settings/rollback", post({ revision: 1 })))).toBe(
      "409 edits_waiting",
    );
    expect(textOf(app)).toBe(edited);
    await app.json("/api/settings/apply", post());
    expect(await app.json("/api/settings", patch)).toMatchObject({ revision: 3 });
  });

  test("going back to auto waits too, and then edits are in force by themselves again", async () => {
    const app = await startManual();
    await app.edit('{ "turn": { "maxAttempts": 9 } }');
    expect(await statusOf(app)).toMatchObject({
      mode: "manual",
      waiting: { changedKeys: ["reload.mode", "turn.maxAttempts"] },
    });
    await app.json("/api/settings/apply", post());
    await app.edit('{ "turn": { "maxAttempts": 4 } }');
    expect(await statusOf(app)).toMatchObject({ revision: 3, mode: "auto", waiting: null });
  });
});

describe("history and rollback", () => {
  const first = '// one\n{\n\t"turn": { "maxAttempts": 3 }, "server": { "token": "marked-token-1" } }';
  const second = '{ "turn": { "maxAttempts": 4 }, "server": { "token": "marked-token-2" } }';
  const headers = { Authorization: "Bearer marked-token-2" };

  async function startTwice(): Promise<DaemonApp> {
    const app = await startApp({});
    await app.edit(first);
    await app.edit(second);
    return app;
  }

  test("every accepted state is listed, newest first, its secrets masked", async () => {
    const app = await startTwice();
    const history = await app.json<History>("/api/settings/history", { headers });
    expect(history.items.map(({ revision, source, settings }) => [revision, source, settings])).toEqual([
      [3, "file", second.replace("marked-token-2", "••••")],
      [2, "file", first.replace("marked-token-1", "••••")],
      [1, "start", "{}"],
    ]);
    expect(history.items[0]?.changedKeys).toEqual(["server.token", "turn.maxAttempts"]);
    const page = await app.json<History>("/api/settings/history?limit=1", { headers });
    const rest = await app.json<History>(`/api/settings/history?limit=2&cursor=${page.next}`, { headers });
    expect(rest.items.map(({ revision }) => revision)).toEqual([2, 1]);
    expect(rest.next).toBeNull();
  });

  test("a rollback brings the text back byte for byte, but the secrets of now, as a new revision", async () => {
    const app = await startTwice();
    const answer = await app.json("/api/settings/rollback", { ...post({ revision: 2 }), headers });
    expect(answer).toMatchObject({
      revision: 4,
      kept: ["server.token"],
      plan: { changedKeys: ["turn.maxAttempts"] },
    });
    expect(textOf(app)).toBe(first.replace("marked-token-1", "marked-token-2"));
    const { items } = await app.json<History>("/api/settings/history", { headers });
    expect(items[0]).toMatchObject({ revision: 4, source: "rollback" });
  });

  test("a secret that the file has no longer does not come back", async () => {
    const app = await startTwice();
    await app.edit('{ "turn": { "maxAttempts": 5 } }');
    await app.json("/api/settings/rollback", post({ revision: 2 }));
    expect(textOf(app)).toBe('// one\n{\n\t"turn": { "maxAttempts": 3 }, "server": { } }');
  });

  test("user-info of a URL and copies of secrets are filled in from the file too", async () => {
    const text = (attempts: number): string =>
      `{ "turn": { "maxAttempts": ${attempts} }, "providers": { "mine": { "kind": "openai", "model": "m", "baseUrl": "http://user:marked-password@localhost:1/v1", "argv": ["--key=marked-key-0123456789"], "apiKey": "marked-key-0123456789" } } }`;
    const app = await startApp({});
    await app.edit(text(3));
    await app.edit(text(4));
    expect(JSON.stringify(await app.json("/api/settings/history"))).not.toContain("marked");
    const answer = await app.json<{ kept: string[] }>("/api/settings/rollback", post({ revision: 2 }));
    expect(answer.kept).toEqual(["providers.mine.baseUrl", "providers.mine.argv.0", "providers.mine.apiKey"]);
    expect(textOf(app)).toBe(text(3));
  });

  test("to a revision that is not known is refused", async () => {
    const app = await startTwice();
    expect(
      await refusal(await app.ask("/api/settings/rollback", { ...post({ revision: 9 }), headers })),
    ).toBe("404 revision_not_found");
    expect(
      await refusal(await app.ask("/api/settings/rollback", { ...post({ revision: "1" }), headers })),
    ).toBe("422 invalid");
  });

  test("is the way out of a file that is broken or gone; its secrets are those in force", async () => {
    const app = await startTwice();
    await app.edit("{ broken");
    const answer = await app.json("/api/settings/rollback", { ...post({ revision: 2 }), headers });
    expect(answer).toMatchObject({ revision: 4, kept: ["server.token"] });
    rmSync(app.settingsPath);
    await app.json("/api/settings/rollback", { ...post({ revision: 3 }), headers });
    expect(textOf(app)).toBe(second);
    expect(await app.json("/api/settings/status", { headers })).toMatchObject({ revision: 5, problems: [] });
  });

  test("where no file stood behind the revision the file says defaults", async () => {
    const app = await startApp(null);
    await app.edit('{ "turn": { "maxAttempts": 2 } }');
    await app.json("/api/settings/rollback", post({ revision: 1 }));
    expect(textOf(app)).toBe("{}\n");
    expect(await app.json("/api/settings")).toMatchObject({
      revision: 3,
      settings: { turn: { maxAttempts: 5 } },
    });
  });
});

test("the schema of the settings is answered as JSON Schema", async () => {
  const app = await startApp();
  expect(await app.json("/api/settings/schema")).toMatchObject({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    properties: { turn: { properties: { maxAttempts: { type: "integer" } } } },
  });
});

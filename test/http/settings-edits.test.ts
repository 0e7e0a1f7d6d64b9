import { afterEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { problemOf, refusal, type Asked } from "./asking.ts";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

const file = `{
  // who answers
  "provider": "echo", // for now
  "providers": {
    "second": { "kind": "echo", "model": "two" },
    "keyed": { "kind": "openai", "model": "m", "baseUrl": "http://127.0.0.1:9/v1", "apiKey": "sk-marked-0123456789" },
  },
  "turn": { "maxAttempts": 3 }
}
`;

interface Answer {
  revision: number;
  plan: { changedKeys: string[]; sessions: object };
  kept?: string[];
}

async function startWith(text: string): Promise<DaemonApp> {
  const app = await startApp({});
  await app.edit(text);
  return app;
}

function patch(json: unknown, headers: Record<string, string> = {}): Asked {
  return { method: "PATCH", json, headers };
}

const textOf = (app: DaemonApp): string => readFileSync(app.settingsPath, "utf8");

/** Types and data of the stored events about settings, after the first `skip` events. */
async function eventsOf(
  app: DaemonApp,
  skip = 0,
): Promise<{ type: string; data: Record<string, unknown> }[]> {
  const events = await app.services.store.events.after(skip, 1000);
  return events
    .filter(({ type }) => type.startsWith("settings."))
    .map(({ type, data }) => {
      const {
        at: _at,
        revision: _revision,
        source: _source,
        ...rest
      }: Record<string, unknown> = JSON.parse(data);
      return { type, data: rest };
    });
}

async function newest(app: DaemonApp): Promise<number> {
  return (await app.services.store.events.bounds()).newest;
}

describe("PATCH", () => {
  test("writes into the file, comments kept, and is in force for the next turn when it is answered", async () => {
    const app = await startWith(file);
    expect((await app.done("a", "hello")).status).toBe("done");
    const response = await app.ask(
      "/api/settings",
      patch({ provider: "second", turn: { maxAttempts: null } }),
    );
    const answer: Answer = await response.json();
    expect(response.headers.get("ETag")).toBe(`"${answer.revision}"`);
    expect(answer).toEqual({
      revision: 3,
      plan: {
        changedKeys: ["provider", "turn.maxAttempts"],
        live: ["turn.maxAttempts"],
        turn: ["provider"],
        restart: [],
        masked: [],
        sessions: { now: 1, atBoundary: 0, unaffected: 0 },
      },
    } as Answer);
    expect(textOf(app)).toBe(
      file.replace('"provider": "echo"', '"provider": "second"').replace('{ "maxAttempts": 3 }', "{ }"),
    );
    expect(await app.done("a", "again")).toMatchObject({
      status: "done",
      model: "two",
      revision: 3,
    });
  });

  test("gives the same events and the same end as the same edit by hand", async () => {
    const byHand = await startWith(file);
    const byApi = await startWith(file);
    const skip = await newest(byApi);
    await byHand.edit(file.replace('"provider": "echo"', '"provider": "second"'));
    await byApi.ask("/api/settings", patch({ provider: "second" }));
    expect(textOf(byApi)).toBe(textOf(byHand));
    expect(await eventsOf(byApi, skip)).toEqual(await eventsOf(byHand, skip));
    expect(await byApi.json("/api/settings")).toMatchObject({
      revision: 3,
      settings: { provider: "second" },
    });
    const [{ source }] = (await byApi.json<{ items: [{ source: string }] }>("/api/settings/history")).items;
    expect(source).toBe("api");
  });

  test("is not taken for a foreign edit by the looks that follow", async () => {
    const app = await startWith(file);
    await app.ask("/api/settings", patch({ provider: "second" }));
    const skip = await newest(app);
    await app.json("/api/settings/reload", { method: "POST" });
    expect(await app.json("/api/settings/status")).toMatchObject({ revision: 3, problems: [] });
    expect(await eventsOf(app, skip)).toEqual([]);
  });

  test("with dryRun only plans", async () => {
    const app = await startWith(file);
    const answer = await app.json<Answer>("/api/settings?dryRun=1", patch({ provider: "second" }));
    expect(answer).toMatchObject({ revision: 2, plan: { changedKeys: ["provider"] } });
    expect(textOf(app)).toBe(file);
    expect(await app.json("/api/settings")).toMatchObject({ revision: 2, settings: { provider: "echo" } });
  });

  test("takes a mask that is sent back for unchanged, and refuses any other", async () => {
    const app = await startWith(file);
    const { settings } = await app.json<{ settings: { providers: object } }>("/api/settings");
    expect(JSON.stringify(settings)).toContain("••••");
    const answer = await app.askOnSocket("/api/settings", patch({ providers: settings.providers }));
    expect((await answer.json()).plan.changedKeys).toEqual([]);
    expect(textOf(app)).toContain("sk-marked-0123456789");
    const refused = await app.ask("/api/settings", patch({ turn: { system: "••••" } }));
    expect(await problemOf(refused)).toMatchObject({
      code: "settings_invalid",
      errors: [{ path: "turn.system" }],
    });
  });

  test("of values that are not valid answers each problem with its place, and changes nothing", async () => {
    const app = await startWith(file);
    const refused = await app.ask("/api/settings", patch({ turn: { maxAttempts: 0 }, provider: "nobody" }));
    expect(await problemOf(refused)).toMatchObject({
      status: 422,
      code: "settings_invalid",
      errors: [
        { path: "provider", line: 3, column: 15 },
        { path: "turn.maxAttempts", line: 8 },
      ],
    });
    expect(textOf(app)).toBe(file);
    expect(await app.json("/api/settings")).toMatchObject({ revision: 2 });
  });

  test("on a revision that is no longer the present one is refused", async () => {
    const app = await startWith(file);
    expect(
      await refusal(await app.ask("/api/settings", patch({ provider: "second" }, { "If-Match": '"1"' }))),
    ).toBe("412 revision_conflict");
    expect(
      await refusal(await app.ask("/api/settings", patch({ provider: "second" }, { "If-Match": '"x"' }))),
    ).toBe("412 revision_conflict");
    expect(
      (await app.ask("/api/settings", patch({ provider: "second" }, { "If-Match": '"1", "2"' }))).status,
    ).toBe(200);
  });

  test("first puts an edit in force that was not noticed yet, as a revision of its own", async () => {
    const app = await startWith(file);
    writeFileSync(app.settingsPath, file.replace('"maxAttempts": 3', '"maxAttempts": 7'));
    const answer = await app.json<Answer>("/api/settings", patch({ provider: "second" }));
    expect(answer).toMatchObject({ revision: 4, plan: { changedKeys: ["provider"] } });
    expect(await app.json("/api/settings")).toMatchObject({
      settings: { provider: "second", turn: { maxAttempts: 7 } },
    });
    expect(textOf(app)).toContain('"maxAttempts": 7');
  });

  test("on a file that is broken, empty or gone is refused and leaves it alone", async () => {
    const app = await startWith(file);
    for (const broken of ["{", "", '{"provider": "nobody"}']) {
      writeFileSync(app.settingsPath, broken);
      expect(await refusal(await app.ask("/api/settings", patch({ provider: "second" })))).toBe(
        "409 settings_file_invalid",
      );
      expect(textOf(app)).toBe(broken);
    }
    rmSync(app.settingsPath);
    expect(await refusal(await app.ask("/api/settings", patch({ provider: "second" })))).toBe(
      "409 settings_file_invalid",
    );
  });

  test("where there never was a file makes one, for its user alone", async () => {
    const app = await startApp(null);
    await app.ask("/api/settings", patch({ turn: { maxAttempts: 2 } }));
    expect(textOf(app)).toBe('{\n  "turn": {\n    "maxAttempts": 2\n  }\n}\n');
    expect(statSync(app.settingsPath).mode & 0o777).toBe(0o600);
    expect(await app.json("/api/settings/status")).toMatchObject({ problems: [], hash: expect.any(String) });
  });

  test("keeps the mode, and the symlinks on the way; nothing is left beside the file", async () => {
    const app = await startWith(file);
    const real = join(dirname(app.settingsPath), "real", "mine.json");
    mkdirSync(dirname(real));
    renameSync(app.settingsPath, real);
    symlinkSync("real/mine.json", app.settingsPath);
    chmodSync(real, 0o640);
    await app.ask("/api/settings", patch({ provider: "second" }));
    expect(lstatSync(app.settingsPath).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, "utf8")).toContain('"provider": "second"');
    expect(statSync(real).mode & 0o777).toBe(0o640);
    expect(readdirSync(dirname(real))).toEqual(["mine.json"]);
  });

  test("of what is no object, or no JSON, or of another type is refused", async () => {
    const app = await startWith(file);
    expect(await refusal(await app.ask("/api/settings", patch([])))).toBe("422 invalid");
    expect(
      await refusal(
        await app.ask("/api/settings", {
          method: "PATCH",
          body: "{",
          headers: { "Content-Type": "application/json" },
        }),
      ),
    ).toBe("400 malformed");
    expect(
      await refusal(
        await app.ask("/api/settings", {
          method: "PATCH",
          body: "{}",
          headers: { "Content-Type": "text/plain" },
        }),
      ),
    ).toBe("415 unsupported_media_type");
    expect(await refusal(await app.ask("/api/settings?dryRun=maybe", patch({})))).toBe("400 malformed");
  });

  test("does not carry a stored key to another server", async () => {
    const app = await startWith(file);
    const moved = { providers: { keyed: { baseUrl: "http://127.0.0.1:10/v1" } } };
    const refused = await app.askOnSocket("/api/settings", patch(moved));
    expect(await problemOf(refused)).toMatchObject({
      code: "settings_invalid",
      errors: [{ path: "providers.keyed.apiKey" }],
    });
    expect(textOf(app)).toBe(file);
    const given = { providers: { keyed: { baseUrl: "http://127.0.0.1:10/v1", apiKey: "sk-other" } } };
    expect((await app.askOnSocket("/api/settings", patch(given))).status).toBe(200);
    const elsewhere = { providers: { keyed: { baseUrl: "http://127.0.0.1:10/v2" } } };
    expect((await app.askOnSocket("/api/settings", patch(elsewhere))).status).toBe(200);
  });
});

describe("PUT", () => {
  test("makes the file say what was sent and nothing else, and keeps the comments", async () => {
    const app = await startWith(file.replace("{\n", '{\n  "$schema": "./settings.schema.json",\n'));
    const answer = await app.json<Answer>("/api/settings", {
      method: "PUT",
      json: { provider: "echo", turn: { mode: "batch" } },
    });
    expect(answer.plan.changedKeys).toContain("turn.maxAttempts");
    expect(textOf(app)).toBe(
      '{\n  "$schema": "./settings.schema.json",\n  // who answers\n  "provider": "echo", // for now\n  "turn": { "mode": "batch" }\n}\n',
    );
  });

  test("of what GET showed changes nothing, secrets included", async () => {
    const app = await startWith(file);
    const { settings } = await app.json<{ settings: object }>("/api/settings");
    const response = await app.askOnSocket("/api/settings", { method: "PUT", json: settings });
    expect((await response.json()).plan.changedKeys).toEqual([]);
    expect(textOf(app)).toContain('"apiKey": "sk-marked-0123456789"');
    expect(textOf(app)).not.toContain("•");
  });
});

describe("over TCP without a token", () => {
  test.each([
    [{ providers: { second: { baseUrl: "http://127.0.0.1:1" } } }],
    [{ providers: { second: { argv: ["sh"] } } }],
    [{ server: { port: 1 } }],
    [{ server: null }],
    [{ turn: { system: "file:/etc/passwd" } }],
    [{ turn: { system: "$HOME" } }],
    [{ fallback: ["$HOME"] }],
    [{ providers: { second: { apiKey: "$HOME" } }, nonsense: 1 }],
  ])("%j cannot be set, before any other check", async (body) => {
    const app = await startWith(file);
    writeFileSync(app.settingsPath, "{");
    for (const method of ["PATCH", "PUT"])
      expect(
        await refusal(
          await app.ask("/api/settings?dryRun=x", { method, json: body, headers: { "If-Match": '"9"' } }),
        ),
      ).toBe("403 token_required");
    expect(await refusal(await app.askOnSocket("/api/settings", patch(body)))).toBe(
      "409 settings_file_invalid",
    );
  });

  test("with the token they can", async () => {
    const app = await startWith('{ "server": { "token": "let-me-in" } }');
    const headers = { Authorization: "Bearer let-me-in" };
    expect(
      (
        await app.ask(
          "/api/settings",
          patch({ turn: { system: "$$5" }, providers: { command: { argv: ["cat"] } } }, headers),
        )
      ).status,
    ).toBe(200);
  });
});

describe("an edit by somebody else between the read and the write", () => {
  test("is never overwritten, and the edit by API is made on top of it", async () => {
    const app = await startWith(file);
    const asked = Array.from({ length: 20 }, (_, n) =>
      app.json("/api/settings", patch({ turn: { retryMs: 1000 + n } })),
    );
    for (let n = 1; n <= 20; n++) {
      await new Promise((resolve) => setImmediate(resolve));
      const now = textOf(app);
      const before = /"maxPendingPerSession": (\d+)/.exec(now)?.[1];
      const mine =
        before === undefined
          ? now.replace("{\n", `{\n  "limits": { "maxPendingPerSession": ${n} },\n`)
          : now.replace(/"maxPendingPerSession": \d+/, `"maxPendingPerSession": ${n}`);
      writeFileSync(`${app.settingsPath}.mine`, mine);
      renameSync(`${app.settingsPath}.mine`, app.settingsPath);
    }
    await Promise.all(asked);
    await app.json("/api/settings/reload", { method: "POST" });
    const { settings } = await app.json<{ settings: { limits: object } }>("/api/settings");
    expect(settings.limits).toMatchObject({ maxPendingPerSession: 20 });
  });

  test("of a file that the settings refer to is noticed all the same", async () => {
    const app = await startApp({});
    const key = join(dirname(app.settingsPath), "a.key");
    writeFileSync(key, "sk-of-before");
    await app.edit({
      providers: {
        keyed: { kind: "openai", model: "m", baseUrl: "http://127.0.0.1:9/v1", apiKey: "file:a.key" },
      },
    });
    const { revisions } = app.services.store;
    const record = revisions.record.bind(revisions);
    revisions.record = (...asked) => {
      revisions.record = record;
      writeFileSync(key, "sk-of-now");
      return record(...asked);
    };
    await app.json("/api/settings", patch({ turn: { retryMs: 1000 } }));
    await app.json("/api/settings/reload", { method: "POST" });
    const { items } = await app.json<{ items: object[] }>("/api/settings/history");
    expect(items[0]).toMatchObject({
      revision: 4,
      source: "reference",
      changedKeys: ["providers.keyed.apiKey"],
    });
  });
});

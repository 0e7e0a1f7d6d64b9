import { expect, test } from "bun:test";
import { EventBus, type EventData, type EventType } from "../../src/core/events.ts";
import type { GivenFields, Log, LogFields } from "../../src/core/log.ts";
import { EventLog } from "../../src/daemon/event-log.ts";

/** A line as it would be written. */
interface Line {
  level: string;
  message: string;
  fields: LogFields;
}

function setup(): { lines: Line[]; tell: <T extends EventType>(type: T, data: EventData[T]) => void } {
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (message: string, given: GivenFields = {}): void =>
      void lines.push({ level, message, fields: typeof given === "function" ? given() : given });
  const log: Log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  const bus = new EventBus((thrown) => {
    throw thrown;
  });
  const generatorOf = (session: string) =>
    session === "a" ? { generator: "gen_1", revision: 3 } : undefined;
  bus.subscribe(new EventLog({ log, generatorOf }));
  let id = 0;
  const tell = <T extends EventType>(type: T, data: EventData[T]): void => {
    const session = "session" in data ? data.session : null;
    const at = "2026-01-01T00:00:00.000Z";
    bus.publish([{ id: ++id, type, session, data: JSON.stringify({ at, ...data }) }]);
  };
  return { lines, tell };
}

test("an event is one line with the ids of session, message, generator and revision", () => {
  const { lines, tell } = setup();
  const error = { kind: "overloaded", message: "try later", status: 500 } as const;
  tell("message.failed", { session: "a", message: "msg_1", seq: 7, error });
  expect(lines).toEqual([
    {
      level: "warn",
      message: "message.failed",
      fields: {
        event: 1,
        session: "a",
        message: "msg_1",
        seq: 7,
        generator: "gen_1",
        revision: 3,
        "error.kind": "overloaded",
        "error.message": "try later",
        "error.status": 500,
      },
    },
  ]);
});

test("what an event itself says of the revision counts, and a session that is not loaded has no generator", () => {
  const { lines, tell } = setup();
  const started = { message: "msg_1", seq: 1, attempt: 1, provider: "echo", model: "echo", revision: 2 };
  tell("message.started", { session: "a", ...started });
  tell("session.deleted", { session: "b" });
  expect(lines[0]).toMatchObject({ level: "debug", fields: { revision: 2, generator: "gen_1" } });
  expect(lines[1]).toEqual({ level: "info", message: "session.deleted", fields: { event: 2, session: "b" } });
});

test("a bad edit is told with every problem and its line", () => {
  const { lines, tell } = setup();
  const problems = [
    { path: "turn", message: "turn.maxAttempts must be at least 1 (got 0)", line: 3, column: 4 },
    { path: "", message: "it cannot be read" },
  ];
  tell("settings.rejected", { problems });
  expect(lines[0]).toMatchObject({
    level: "warn",
    fields: { problems: "line 3: turn.maxAttempts must be at least 1 (got 0), it cannot be read" },
  });
});

test("what the daemon does itself, and pieces of replies, are not told here", () => {
  const { lines, tell } = setup();
  tell("daemon.started", { instanceId: "boot_1", version: "1.2.3" });
  expect(lines).toEqual([]);
});

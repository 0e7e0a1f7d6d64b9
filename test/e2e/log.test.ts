import { expect, setDefaultTimeout, test } from "bun:test";
import { startSegue } from "../support/segue.ts";
import type { MessageAnswer } from "./answers.ts";
import { saveSettings } from "./settings-file.ts";

setDefaultTimeout(60_000);

const secret = "sk-marked-4711-secret";
const content = "a marked content";

test("the log has a line of JSON for each event, with its ids, and neither secrets nor contents", async () => {
  const settings = { log: { level: "debug" }, providers: { claude: { apiKey: secret } } };
  const segue = await startSegue({ settings, args: ["--log", "json"] });
  const path = "/api/sessions/a/messages";
  const message = await segue.post<MessageAnswer>(path, { content }, { Prefer: "wait=30" });
  const session = await segue.get<{ generatorId: string }>("/api/sessions/a");
  saveSettings(
    segue.settingsPath,
    `{"providers": {"claude": {"apiKey": "${secret}", "nope": 1}}}`,
    "written in place",
  );
  await segue.nextEvent(0, ({ type }) => type === "settings.rejected");
  const events: string[] = [];
  for await (const { id, type } of segue.events(0)) {
    if (!type.startsWith("daemon.") && !type.startsWith("settings.planned")) events.push(`${id} ${type}`);
    if (type === "settings.rejected") break;
  }
  await segue.stop();
  const entries = segue.process.stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const told = entries
    .filter(({ properties }) => properties.event !== undefined)
    .map((entry) => `${entry.properties.event} ${entry.message}`);
  expect(events.filter((event) => / (message|session)\./.test(event) && !told.includes(event))).toEqual([]);
  expect(entries.find((entry) => entry.message === "message.done")?.properties).toMatchObject({
    session: "a",
    message: message.id,
    seq: 1,
    generator: session.generatorId,
    revision: 1,
  });
  const rejected = entries.filter((entry) => entry.message === "settings.rejected");
  expect(rejected).toMatchObject([
    { level: "WARN", properties: { problems: expect.stringMatching(/^line 1: .*nope/) } },
  ]);
  expect(segue.process.stderr).not.toContain(secret);
  expect(segue.process.stderr).not.toContain("marked content");
});

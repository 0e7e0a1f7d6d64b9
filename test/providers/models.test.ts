import { expect, test } from "bun:test";
import { Models } from "../../src/providers/models.ts";
import { openaiWire } from "../../src/providers/openai.ts";
import { configOf } from "./calling.ts";
import { scripts, sse, streamed } from "./scripted-server.ts";

const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "hello" }] }];

/** A `fetch` that answers, and notes that it was asked. */
function answering(asked: string[], name: string): typeof globalThis.fetch {
  const answer = async (): Promise<Response> => {
    asked.push(name);
    return streamed(sse(scripts.openai.finish, true));
  };
  return Object.assign(answer, { preconnect: globalThis.fetch.preconnect });
}

function setup() {
  const wire = openaiWire(configOf("openai", { endpoint: "https://example.org/v1" }));
  const models = new Models((fetch) => wire.model(fetch));
  const asked: string[] = [];
  return { asked, lend: (name: string) => models.lend(answering(asked, name)) };
}

test("a model that was given back serves another call, which goes where that one says", async () => {
  const { asked, lend } = setup();
  const first = lend("first");
  await first.model.doStream({ prompt });
  first.giveBack();
  const second = lend("second");
  expect(second.model).toBe(first.model);
  await second.model.doStream({ prompt });
  expect(asked).toEqual(["first", "second"]);
});

test("two calls at once have a model each", async () => {
  const { asked, lend } = setup();
  const [one, other] = [lend("one"), lend("other")];
  expect(other.model).not.toBe(one.model);
  await other.model.doStream({ prompt });
  await one.model.doStream({ prompt });
  expect(asked).toEqual(["other", "one"]);
});

test("a model that was not given back is nobody else's", () => {
  const { lend } = setup();
  expect(lend("aborted").model).not.toBe(lend("next").model);
});

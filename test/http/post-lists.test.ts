import { afterEach, describe, expect, test } from "bun:test";
import { problemOf, refusal } from "./asking.ts";
import { startApp, stopApps } from "./daemon-app.ts";
import { contents, postLines } from "./inbox.ts";

afterEach(stopApps);

describe("posting a list", () => {
  test("all of it is taken in order, empty lines passed over", async () => {
    const app = await startApp();
    const response = await postLines(app, [`{"content":"one"}`, "", `  {"content":"two\\nlines"}\r`, ""]);
    expect(response.status).toBe(202);
    const answer = await response.json();
    expect(answer).toEqual({
      items: [
        { id: expect.any(String), seq: 1 },
        { id: expect.any(String), seq: 2 },
      ],
      count: 2,
    });
    expect(await contents(app)).toEqual(["one", "two\nlines"]);
  });

  const wrong: [string, string[], string, number | undefined][] = [
    ["a line that is no JSON", [`{"content":"one"}`, "", "{content}"], "400 malformed", 3],
    ["a line with wrong fields", [`{"content":"one"}`, `{"content":1}`], "422 invalid", 2],
    ["a line with an unknown field", [`{"content":"one","id":"x"}`], "422 invalid", 1],
    ["a line that is empty text", [`{"content":"one"}`, `{"content":""}`], "422 invalid", 2],
    ["a line that is a list", ["[]"], "422 invalid", 1],
    ["no line at all", ["", "  "], "422 invalid", undefined],
  ];

  test.each(wrong)(
    "%s is refused with its line, and nothing is taken",
    async (_name, lines, expected, line) => {
      const app = await startApp();
      const problem = await problemOf(await postLines(app, lines));
      expect(`${problem.status} ${problem.code}`).toBe(expected);
      expect(problem.errors?.[0]?.line).toBe(line);
      expect(await contents(app)).toEqual([]);
    },
  );

  test("a list for which there is no room is refused whole", async () => {
    const app = await startApp({ limits: { maxPendingPerSession: 1 } });
    expect(await refusal(await postLines(app, [`{"content":"1"}`, `{"content":"2"}`]))).toBe(
      "429 too_many_pending",
    );
    expect(await contents(app)).toEqual([]);
  });

  test("the key stands for the list", async () => {
    const app = await startApp();
    const headers = { "Idempotency-Key": "k" };
    const lines = [`{"content":"one"}`, `{"content":"two"}`];
    const first = await (await postLines(app, lines, headers)).json();
    const again = await postLines(app, lines, headers);
    expect([again.status, again.headers.get("Idempotency-Replayed")]).toEqual([200, "true"]);
    expect(await again.json()).toEqual(first);
    expect(await refusal(await postLines(app, lines.slice(1), headers))).toBe("409 idempotency_conflict");
    expect(await contents(app)).toEqual(["one", "two"]);
  });
});

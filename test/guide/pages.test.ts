import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { blocksIn, pages, readPage } from "./page.ts";
import { runPage } from "./page-run.ts";

setDefaultTimeout(120_000);

const hasTools = ["curl", "jq", "sha256sum", "tar"].every((name) => Bun.which(name) !== null);

describe.skipIf(!hasTools)("every block of the documentation does what the page says", () => {
  test.each(pages().map(({ path }) => path))("%s", async (path) => {
    const outcomes = await runPage(readPage(path));
    for (const { block, done } of outcomes) console.log(`  ${path}:${block.line} ${block.language}: ${done}`);
    const problems = outcomes.flatMap(({ block, problem }) =>
      problem === undefined ? [] : [`${path}:${block.line}: ${problem}`],
    );
    expect(problems).toEqual([]);
  });
});

describe.skipIf(!hasTools)("a page that is wrong is found out:", () => {
  const wrong: [string, string][] = [
    ["a command that fails", "```sh\nfalse\n```\n"],
    ["a command that fails before another", "```sh\nfalse\ntrue\n```\n"],
    ["a command that fails otherwise than it should", "```sh fails 2\nexit 3\n```\n"],
    ["a command that should fail", "```sh fails 1\ntrue\n```\n"],
    ["other output", "```sh\necho one\n```\n\n```text\ntwo\n```\n"],
    ["settings that are not valid", '```jsonc\n{ "provider": "nobody" }\n```\n'],
    ["a daemon that does not start", "```sh serving\nsegue serve --data /dev/null/no\n```\n"],
    ["a block behind one that went wrong", "```sh\nfalse\n```\n\n```sh\ntrue\n```\n"],
  ];
  test.each(wrong)("%s", async (_name, text) => {
    const outcomes = await runPage({ path: "wrong.md", text, blocks: blocksIn(text) });
    expect(outcomes.at(-1)?.problem).toBeDefined();
  });

  test("and a block that nobody knows how to take", async () => {
    const text = "```sh perhaps\ntrue\n```\n";
    expect(runPage({ path: "wrong.md", text, blocks: blocksIn(text) })).rejects.toThrow("nobody knows");
  });
});

import { expect, test } from "bun:test";
import { Writable } from "node:stream";
import { helpExamples } from "../../src/cli/help-examples.ts";
import { runCommandLine } from "../../src/cli/program.ts";
import { OutputStream } from "../../src/cli/screen.ts";
import { ManualClock } from "../support/manual-clock.ts";

/** What the program answers to `--help`, asked in this process. */
async function helpOf(...argv: string[]): Promise<string> {
  const written = { out: "", error: "" };
  const stream = (name: "out" | "error"): OutputStream =>
    new OutputStream(
      () =>
        new Writable({
          write: (chunk, _encoding, done) => {
            written[name] += String(chunk);
            done();
          },
        }),
      false,
    );
  const [stdout, stderr] = [stream("out"), stream("error")];
  const clock = new ManualClock();
  const around = { env: {}, home: "/nowhere", stdin: () => process.stdin, stdout, stderr, clock };
  const exitCode = await runCommandLine([...argv, "--help"], around);
  await Promise.all([stdout.flush(), stderr.flush()]);
  expect([exitCode, written.error]).toEqual([0, ""]);
  return written.out;
}

/** The words of an example behind the name of the command, up to what a shell would make of it. */
function wordsOf(example: string, command: string): string[] {
  const [, text = ""] = new RegExp(`segue ${command}\\b([^|#&<>)]*)`).exec(example) ?? [];
  return text.match(/'[^']*'|\S+/g) ?? [];
}

test("every command's help ends with examples of that command, whose options are in that help", async () => {
  const names = Array.from((await helpOf()).matchAll(/^ {2}([a-z]+)[ |]/gm), ([, name = ""]) => name);
  const commands = names.filter((name) => name !== "help");
  expect(Object.keys(helpExamples).toSorted()).toEqual(commands.toSorted());
  for (const name of commands) {
    const [options, shown = ""] = (await helpOf(name)).split("\nExamples:\n");
    expect(shown.trim()).toBe((helpExamples[name] ?? []).join("\n  "));
    for (const example of helpExamples[name] ?? []) {
      expect(example).toMatch(new RegExp(`\\bsegue ${name}\\b`));
      for (const word of wordsOf(example, name))
        if (word.startsWith("--")) expect(options).toContain(` ${word} `);
    }
  }
});

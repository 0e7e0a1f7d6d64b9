import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeHome } from "./segue.ts";

/** A folder with the script for a shell and, as `segue`, a program that knows two sessions. */
async function setup(shell: string): Promise<{ folder: string; script: string }> {
  const home = makeHome();
  const run = await home.segue(["completions", shell]);
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  const script = join(home.folder, "script");
  writeFileSync(script, run.stdout);
  mkdirSync(join(home.folder, "bin"));
  const program = join(home.folder, "bin", "segue");
  writeFileSync(program, "#!/bin/sh\nprintf 'claude-code:1\\tidle\\nnotes\\tidle\\n'\n");
  chmodSync(program, 0o755);
  mkdirSync(join(home.folder, "work"));
  writeFileSync(join(home.folder, "work", "a file.json"), "");
  mkdirSync(join(home.folder, "work", "folder"));
  return { folder: home.folder, script };
}

/** What a shell offers for the last word of `line`. */
async function offered(shell: "bash" | "fish", line: string): Promise<string[]> {
  const { folder, script } = await setup(shell);
  const asked =
    shell === "bash"
      ? `. "$1"; read -ra COMP_WORDS <<<"$(sed 's/\\([:=]\\)/ \\1 /g' <<<"$2")"
         case "$2" in *\\ ) COMP_WORDS+=("") ;; esac
         COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)) COMP_LINE="$2" COMP_POINT=\${#2}
         _segue; printf '%s\\n' "\${COMPREPLY[@]}"`
      : `source $argv[1]; complete -C $argv[2]`;
  const args = shell === "bash" ? ["-c", asked, "bash", script, line] : ["-c", asked, script, line];
  const env = { PATH: `${join(folder, "bin")}:${process.env["PATH"]}`, HOME: folder };
  const { stdout, stderr, status } = spawnSync(shell, args, {
    env,
    cwd: join(folder, "work"),
    encoding: "utf8",
  });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  const lines = stdout.split("\n").filter((text) => text !== "");
  return lines.map((text) => text.split("\t")[0] ?? "").toSorted();
}

test.each<[string, string[]]>([
  ["segue sta", ["status"]],
  ["segue --settings x.json sta", ["status"]],
  ["segue s --json se", []],
  ["segue ver", ["version"]],
  ["segue serve --lo", ["--log"]],
  ["segue serve --log ", ["json", "text"]],
  ["segue serve --log json --st", ["--strict"]],
  ["segue retry --session n", ["notes"]],
  ["segue send ", ["claude-code:1", "notes"]],
  ["segue send claude-code:", ["1"]],
  ["segue send notes ", []],
  ["segue get turn.max", ["turn.maxAttempts", "turn.maxDurationMs"]],
  ["segue set providers.gemini.m", ["providers.gemini.maxOutputTokens", "providers.gemini.model"]],
  ["segue completions ", ["bash", "fish", "zsh"]],
  ["segue check ", ["a file.json", "folder"]],
  ["segue --data ", ["folder"]],
  ["segue nonsense ", []],
])("bash completes %j by %j", async (line, words) => {
  expect(await offered("bash", line)).toEqual(words);
});

const hasFish = Bun.which("fish") !== null;

test.skipIf(!hasFish).each<[string, string[]]>([
  ["segue sta", ["status"]],
  ["segue serve --log ", ["json", "text"]],
  ["segue rm ", ["claude-code:1", "notes"]],
  ["segue get turn.max", ["turn.maxAttempts", "turn.maxDurationMs"]],
])("fish completes %j by %j", async (line, words) => {
  expect(await offered("fish", line)).toEqual(words);
});

test("the script for zsh names every command, with what it does", async () => {
  const home = makeHome();
  const { stdout } = await home.segue(["completions", "zsh"]);
  expect(stdout).toStartWith("#compdef segue\n");
  const { stdout: help } = await home.segue(["--help"]);
  const commands = [...help.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
  expect(commands.length).toBeGreaterThan(10);
  for (const name of commands.filter((name) => name !== "help")) expect(stdout).toContain(`    '${name}:`);
});

test("another shell is refused with the names of those that are known", async () => {
  const run = await makeHome().segue(["completions", "tcsh"]);
  expect(run).toMatchObject({ exitCode: 2, stdout: "" });
  expect(run.stderr).toContain("bash, zsh, fish");
});

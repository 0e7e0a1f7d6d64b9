import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "../../src/core/errors.ts";
import { ensureBinary, projectFolder } from "../support/binary.ts";
import { runChild, cleanEnv } from "../support/processes.ts";
import { runSegue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";
import { writeArchive, writeSums } from "./archive.ts";
import { buildProgram, isRunHere, presentSource, type Source } from "./build.ts";
import { thirdPartyNotices } from "./notices.ts";
import { bunVersion, hostName, targetNamed, targets } from "./targets.ts";

setDefaultTimeout(60_000);

const source: Source = { version: "1.2.3", commit: "c0ffee", madeAt: new Date("2026-01-02T03:04:05Z") };

function sumOf(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/** A program that takes its place where it is not the program that matters. */
function standIn(): string {
  const program = join(makeFolder("program"), "segue");
  writeFileSync(program, "#!/bin/sh\necho stand-in\n");
  return program;
}

/** What is in an archive: mode, owner, time and name of each entry. */
async function entriesOf(file: string): Promise<string[]> {
  const folder = makeFolder("listing");
  const command = ["tar", "--utc", "--full-time", "--numeric-owner", "-tvzf", file];
  const { stdout } = await runChild({ command, env: cleanEnv(folder) });
  return stdout.trim().split("\n");
}

test("the program is the same, byte for byte, each time it is built of the same source", async () => {
  const program = await ensureBinary();
  const { stdout } = await runSegue(["version", "--json"]);
  const told: { version: string; commit: string } = JSON.parse(stdout);
  const again = join(makeFolder("again"), "segue");
  await buildProgram(again, { ...told, madeAt: new Date(0) });
  expect(sumOf(again)).toBe(sumOf(program));
  expect(await isRunHere(again, { ...told, madeAt: new Date(0) })).toBe(true);
});

test("a build that says it is something else is none of ours, one that does not run was not run", async () => {
  const failure = await isRunHere(await ensureBinary(), source).catch(errorText);
  expect(failure).toContain("says that it is");
  const alien = join(makeFolder("alien"), "segue");
  writeFileSync(alien, "no program");
  expect(await isRunHere(alien, source)).toBe(false);
});

test("what a build says of its commit is what git says, or that nobody knows", async () => {
  expect((await presentSource()).commit).toMatch(/^([0-9a-f]{40}(-dirty)?|unknown)$/);
});

describe("an archive", () => {
  test("of the same contents is the same, byte for byte, whenever it is made", async () => {
    const contents = { name: "linux-x64", program: standIn(), isRun: true, source };
    const one = await writeArchive(contents, makeFolder("one"));
    copyFileSync(contents.program, `${contents.program}.new`);
    const other = await writeArchive(
      { ...contents, program: `${contents.program}.new` },
      makeFolder("other"),
    );
    expect(sumOf(one)).toBe(sumOf(other));
  });

  test("holds the program, its texts and completions; all of nobody, at the time of the commit", async () => {
    const contents = { name: "linux-x64", program: standIn(), isRun: true, source };
    const entries = await entriesOf(await writeArchive(contents, makeFolder("one")));
    const names = entries.map((line) => line.replace(/^.* segue-1\.2\.3-linux-x64\//, ""));
    for (const name of [
      "segue",
      "README.md",
      "LICENSE",
      "THIRD-PARTY-NOTICES.md",
      "CHANGELOG.md",
      "completions/segue.bash",
      "completions/_segue",
      "completions/segue.fish",
    ])
      expect(names).toContain(name);
    expect(names).not.toContain("NOT-RUN.md");
    expect(names).toEqual(names.toSorted());
    for (const [at, line] of entries.entries()) {
      expect(line).toMatch(/^\S+ 0\/0 +\d+ 2026-01-02 03:04:05 /);
      expect(line.slice(0, 10)).toBe(names[at] === "segue" ? "-rwxr-xr-x" : "-rw-r--r--");
    }
  });

  test("of a build that was not run says so", async () => {
    const contents = { name: "macos-x64", program: standIn(), isRun: false, source };
    const folder = makeFolder("one");
    const entries = await entriesOf(await writeArchive(contents, folder));
    expect(entries.some((line) => line.endsWith("/NOT-RUN.md"))).toBe(true);
    expect(readFileSync(join(folder, "segue-1.2.3-macos-x64", "NOT-RUN.md"), "utf8")).toContain("not run");
  });
});

test("sums are as sha256sum writes and reads them", async () => {
  const folder = makeFolder("sums");
  const files = ["b", "a"].map((name) => join(folder, name));
  for (const file of files) writeFileSync(file, file);
  writeSums(files, folder);
  const sha256sum = (...args: string[]) =>
    runChild({ command: ["sha256sum", ...args], cwd: folder, env: cleanEnv(makeFolder("sums")) });
  expect((await sha256sum("a", "b")).stdout).toBe(readFileSync(join(folder, "SHA256SUMS"), "utf8"));
  expect(await sha256sum("--check", "--strict", "SHA256SUMS")).toMatchObject({ exitCode: 0 });
});

test("the runtimes are of the version that builds, each has its sum, and this machine is one of the targets", () => {
  expect(Bun.version).toBe(bunVersion);
  expect(new Set(targets.map(({ integrity }) => integrity)).size).toBe(6);
  expect(targetNamed(hostName()).bunTarget).toContain(process.arch);
  expect(() => targetNamed("amiga-m68k")).toThrow("known are linux-arm64, ");
});

test("the notices are those of what is installed; after a change: bun run notices", () => {
  expect(readFileSync(join(projectFolder, "THIRD-PARTY-NOTICES.md"), "utf8")).toBe(thirdPartyNotices());
});

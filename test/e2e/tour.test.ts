import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBinary } from "../support/binary.ts";
import { cleanEnv, startChild } from "../support/processes.ts";
import { runSegue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";

setDefaultTimeout(120_000);

test("the tour shows that nothing was lost, answers 0 and leaves nothing behind", async () => {
  const folder = makeFolder("tour");
  const { exitCode, stdout, stderr } = await runSegue(["tour"], { folder });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(/^60 messages accepted, 60 answered; \d+ were in flight at the kill/m);
  expect(stdout).toMatch(/replaced by a rename: "second" in force/);
  expect(stdout).toMatch(/written in place: "first" in force/);
  expect(stdout).toContain("Nothing was lost.");
  expectNothingLeft(folder);
});

test("the tour tells a program the same", async () => {
  const folder = makeFolder("tour");
  const { exitCode, stdout } = await runSegue(["tour", "--json"], { folder });
  expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({
    exitCode: 0,
    accepted: 60,
    done: 60,
    faults: [],
  });
  expectNothingLeft(folder);
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "a tour that is interrupted by %s leaves nothing behind",
  async (signal) => {
    const folder = makeFolder("tour");
    const tour = startChild({
      command: [await ensureBinary(), "tour"],
      cwd: folder,
      env: cleanEnv(folder),
    });
    await tour.waitForOutput(/^ +edited /m);
    tour.signal(signal);
    expect((await tour.ended()).exitCode).toBe(130);
    expect(tour.stderr).toBe("");
    expectNothingLeft(folder);
  },
);

/** No file in the temporary folder, no settings or data of the user, no process that was told of the folder. */
function expectNothingLeft(folder: string): void {
  expect(readdirSync(folder)).toEqual(["tmp"]);
  expect(readdirSync(join(folder, "tmp"))).toEqual([]);
  expect(processesThatName(folder)).toEqual([]);
}

function processesThatName(folder: string): string[] {
  if (!existsSync("/proc/self/cmdline")) return [];
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(commandOf)
    .filter((command) => command.includes(folder));
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

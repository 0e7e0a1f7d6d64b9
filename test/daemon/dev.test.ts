import { afterEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import { systemRandom } from "../../src/core/ids.ts";
import { Dev, gapText, type DevRun, type RunEnding } from "../../src/daemon/dev.ts";
import { eventually } from "../support/eventually.ts";
import { makeFolder } from "../support/workspace.ts";

/** A program that starts, serves and ends when it is told to; it ends at once when asked, unless `stopping` is set. */
class ScriptedRun implements DevRun {
  readonly #serving = Promise.withResolvers<string | undefined>();
  readonly #ended = Promise.withResolvers<RunEnding>();
  readonly calls: string[] = [];
  stopping: Promise<void> | undefined;
  checkpointing: () => Promise<void> = async () => {};

  readonly serving = this.#serving.promise;
  readonly ended = this.#ended.promise;

  serve(): void {
    this.#serving.resolve("Serving");
  }

  /** It takes too long. */
  giveUp(): void {
    this.#serving.resolve(undefined);
  }

  end(ending: Partial<RunEnding>): void {
    this.#ended.resolve({ exitCode: null, signal: null, ...ending });
    this.#serving.resolve(undefined);
  }

  async checkpoint(): Promise<void> {
    this.calls.push("checkpoint");
    await this.checkpointing();
  }

  async stop(): Promise<{ drainMs: number }> {
    this.calls.push("stop");
    await this.stopping;
    this.end({ exitCode: 0 });
    return { drainMs: 0 };
  }

  async kill(): Promise<void> {
    this.end({ signal: "SIGKILL" });
  }
}

const running: Dev[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((dev) => dev.kill()));
});

/** A `Dev` that watches a folder of two files; its runs are scripted. */
function setup() {
  const folder = makeFolder("dev");
  const [source, settings] = [join(folder, "source"), join(folder, "settings.json")];
  writeFileSync(source, "1");
  const runs: ScriptedRun[] = [];
  const told: string[] = [];
  const dev = new Dev({
    watched: [source, join(folder, "other")],
    except: [],
    settingsPath: settings,
    clock: systemClock,
    random: systemRandom,
    start: () => {
      const run = new ScriptedRun();
      runs.push(run);
      return run;
    },
    tell: (line) => told.push(line),
  });
  running.push(dev);
  const ended = dev.run();
  const edit = (text: string, name = "source"): void => writeFileSync(join(folder, name), text);
  const run = (number: number): Promise<ScriptedRun> =>
    eventually(`run ${number}`, () => runs[number - 1] ?? undefined);
  const says = (text: RegExp): Promise<unknown> =>
    eventually(`${text}`, () => told.some((line) => text.test(line)));
  return { dev, ended, runs, told, edit, run, says };
}

test("several changes at once are one restart, with a checkpoint before the drain", async () => {
  const { edit, run, runs, told } = setup();
  const first = await run(1);
  first.serve();
  edit("2");
  edit("2", "other");
  edit("3");
  const second = await run(2);
  second.serve();
  edit("4");
  await run(3);
  expect(runs).toHaveLength(3);
  expect([first.calls, second.calls]).toEqual([
    ["checkpoint", "stop"],
    ["checkpoint", "stop"],
  ]);
  expect(told.filter((line) => line.startsWith("Restarted in "))).toHaveLength(1);
  expect(told.filter((line) => line.endsWith(": restarting."))).toEqual([
    "source changed, other is new: restarting.",
    "source changed: restarting.",
  ]);
});

test("a change while a run starts ends that start, and the next one has it", async () => {
  const { edit, run, told } = setup();
  const first = await run(1);
  edit("2");
  const second = await run(2);
  second.serve();
  expect(first.calls).toEqual(["stop"]);
  await eventually("the gap is told", () => told.some((line) => line.startsWith("Restarted in ")));
});

test("a change while a run stops is not lost, and costs no restart of its own", async () => {
  const { edit, run, runs } = setup();
  const first = await run(1);
  const stopped = Promise.withResolvers<void>();
  first.stopping = stopped.promise;
  first.serve();
  edit("2");
  await eventually("it is asked to stop", () => first.calls.includes("stop"));
  edit("3");
  stopped.resolve();
  (await run(2)).serve();
  edit("4");
  await run(3);
  expect(runs).toHaveLength(3);
});

test("a run that ends by itself is started again at the next change", async () => {
  const { edit, run, runs, says } = setup();
  const first = await run(1);
  first.serve();
  first.end({ signal: "SIGSEGV" });
  await says(/ended by itself \(SIGSEGV\).*next change/);
  expect(runs).toHaveLength(1);
  edit("2");
  (await run(2)).serve();
  await says(/^Restarted in /);
});

test.each(["source", "settings.json"])(
  "a run that does not start is started again when the %s changes",
  async (name) => {
    const { edit, run, says } = setup();
    (await run(1)).end({ exitCode: 5 });
    await says(/did not start \(exit code 5\).*next change/);
    edit("mended", name);
    const second = await run(2);
    await says(new RegExp(`^${name} (changed|is new): starting\\.$`));
    second.serve();
    await says(/^Serving$/);
    expect(second.calls).toEqual([]);
  },
);

test("a run that does not get to serve is ended, and started again at the next change", async () => {
  const { edit, run, says } = setup();
  const first = await run(1);
  first.giveUp();
  await says(/did not start \(it does not get to serve\)/);
  expect(await first.ended).toMatchObject({ signal: "SIGKILL" });
  edit("2");
  await run(2);
});

test("a checkpoint that fails is told and holds nothing up", async () => {
  const { edit, run, says } = setup();
  const first = await run(1);
  first.checkpointing = () => Promise.reject(new Error("the disk is full"));
  first.serve();
  edit("2");
  await run(2);
  await says(/^No checkpoint was kept: the disk is full$/);
  expect(first.calls).toEqual(["checkpoint", "stop"]);
});

test("where another daemon holds the folder it ends too, with the same exit code", async () => {
  const { ended, run } = setup();
  (await run(1)).end({ exitCode: 3 });
  expect(await ended).toBe(3);
});

test("asked to stop it lets the run drain, without a checkpoint, and ends with 0", async () => {
  const { dev, ended, run, runs, told } = setup();
  const first = await run(1);
  first.serve();
  dev.stop();
  expect(await ended).toBe(0);
  expect(first.calls).toEqual(["stop"]);
  expect({ runs: runs.length, told: told.filter((line) => line !== "Serving") }).toEqual({
    runs: 1,
    told: [],
  });
});

test("asked to stop while the program is down it ends with 0", async () => {
  const { dev, ended, run, says } = setup();
  (await run(1)).end({ exitCode: 1 });
  await says(/did not start/);
  dev.stop();
  expect(await ended).toBe(0);
});

test("a second wish to stop ends a run that drains at once", async () => {
  const { dev, ended, run } = setup();
  const first = await run(1);
  first.serve();
  first.stopping = first.ended.then(() => {});
  dev.stop();
  await eventually("it is asked to stop", () => first.calls.includes("stop"));
  await dev.kill();
  expect(await ended).toBe(0);
});

test("what turns in flight took of the gap is not Segue's", () => {
  expect(gapText(1140, 1000)).toBe("Restarted in 1140 ms, of which Segue's 140 ms.");
  expect(gapText(99, 100)).toBe("Restarted in 99 ms, of which Segue's 0 ms.");
});

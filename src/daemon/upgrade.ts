import { openSync } from "node:fs";
import { openDatabase } from "#platform";
import { errorText } from "../core/errors.ts";
import { keepListening } from "../platform/kept-listener.ts";
import { descriptorOf } from "../platform/process-image.ts";
import { Candidate, type Rehearsal } from "./candidate.ts";
import type { DaemonOptions } from "./foundation.ts";
import { shortestLingerMs } from "./front.ts";
import { goOver, type Handover, type Program } from "./handover.ts";
import { dataFolder } from "./instance.ts";
import type { DrainParts } from "./restart.ts";
import { keepCopy, restoreCopy } from "./store-copy.ts";

/** What an upgrade takes of the daemon around it. */
export interface UpgradeParts extends DrainParts {
  env: Readonly<Record<string, string | undefined>>;
  /** How this program was started; undefined where it cannot be replaced. */
  program: Program | undefined;
  /** Ends everything but the lock on the data folder and what stands in it of this daemon. */
  letGo: () => Promise<void>;
}

/** What is handed over but for the copy and the failure, which come last. */
type Drained = Omit<Handover, "copy" | "failure">;

/**
 * The way of an upgrade (contract section 3.6), in the same process, so that whoever started the daemon goes on to see
 * the one process it started:
 *
 * 1. The new program is run beside this one, which serves on: it has to serve, on a folder of its own, under the
 *    settings of now and a copy of the store's schema. Where it cannot, that is told, and nothing has changed.
 * 2. Drain. Clients are asked to come back meanwhile, which makes what follows lossless.
 * 3. The listening sockets are kept, their listeners stopped: who connects from here on waits. The store is closed.
 * 4. Where the store has to be migrated a copy is kept, and the new program migrates as a child: however that ends,
 *    this one still knows what to do. Did it fail, the copy is put back and this same program started again.
 * 5. execve(2). The new program opens everything, listens beside the kept sockets, and takes who waits there. Up to
 *    then it too goes back where it fails: to the copy, and to this program, whose executable it has as a descriptor.
 */
export class Upgrades {
  readonly #parts: UpgradeParts;

  constructor(parts: UpgradeParts) {
    this.#parts = parts;
  }

  /** Upgrades; returns where it did not come to it, or `stopping` was aborted, and throws where no program can go on. */
  async run(stopping: AbortSignal): Promise<void> {
    const { program, foundation } = this.#parts;
    const lock = process.versions.bun ? descriptorOf(foundation.folder.lock) : undefined;
    if (!program || lock === undefined)
      return this.#refuse(
        "on this system no program can take the place of another; stop and start the daemon",
      );
    const candidate = new Candidate({ ...this.#parts, program });
    const rehearsed = await candidate.rehearse(stopping);
    if (stopping.aborted) return;
    if (!rehearsed.ok) return this.#refuse(`${program.executable} cannot take over: ${rehearsed.reason}`);
    const drained = await this.#drain({ program, lock }, stopping);
    if (!drained) return;
    const { copy, failure } = await this.#migrated(candidate, rehearsed.value);
    if (!stopping.aborted) this.#goOver(program, { ...drained, copy, failure });
  }

  /** Ends the work of this program; undefined where the daemon stops meanwhile. */
  async #drain(
    { program, lock }: { program: Program; lock: number },
    stopping: AbortSignal,
  ): Promise<Drained | undefined> {
    const { clock, drainBegins, core, streams, ends, front, settings, letGo } = this.#parts;
    const { graceMs } = settings().daemon;
    const drainedAt = clock.now();
    drainBegins("upgrade", graceMs);
    front.leave();
    const { registry, boot } = core();
    const active = new Set([...registry.atWork(), ...streams.subscribedSessions()]);
    const { aborted, requeued } = await registry.drain(drainedAt + graceMs);
    await clock.sleep(Math.max(0, drainedAt + shortestLingerMs - clock.now()), stopping);
    if (stopping.aborted) return undefined;
    const sessions = [...active].map((id) => ({ id, subscribers: streams.subscribersOf(id) }));
    const { address, port = 0 } = front;
    const listeners = keepListening((taken) => taken === null || taken === port);
    const left = front.leaveBehind();
    streams.close();
    ends.close();
    await left;
    await letGo();
    return {
      from: boot,
      executable: program.executable,
      before: openSync("/proc/self/exe", "r"),
      lock,
      listeners,
      address,
      port,
      drainedAt,
      sessions,
      requeued,
      timedOut: aborted,
    };
  }

  /** The store as the new program needs it, or as it was before and why. */
  async #migrated(
    candidate: Candidate,
    { store }: Rehearsal,
  ): Promise<{ copy: string | null; failure: string | null }> {
    const { folder } = this.#parts.foundation;
    if (store.from === store.to) return { copy: null, failure: null };
    try {
      const copy = await keepCopy(folder.store, store.from);
      const migrated = await candidate.migrate();
      if (migrated.ok) return { copy, failure: null };
      await restoreCopy(folder.store, copy, openDatabase);
      return { copy: null, failure: `the store could not be migrated: ${migrated.reason}` };
    } catch (thrown) {
      return { copy: null, failure: `the store could not be copied: ${errorText(thrown)}` };
    }
  }

  #goOver(program: Program, handover: Handover): never {
    const { env, foundation } = this.#parts;
    if (handover.failure !== null) return goBack(foundation.folder.path, program, env, handover);
    try {
      return goOver(foundation.folder.path, program, env, handover);
    } catch (thrown) {
      return goBack(foundation.folder.path, program, env, { ...handover, failure: errorText(thrown) });
    }
  }

  #refuse(reason: string): void {
    const { log, tell } = this.#parts.foundation;
    log.warn(reason);
    tell([{ type: "daemon.restart_failed", data: { reason } }]);
  }
}

/**
 * The new program does not get to serve: what it made of the store is undone, and the program before takes the place
 * again. Returns where there is none. Throws where it cannot be run.
 */
export async function giveUp(
  { handover, program, dataDir }: DaemonOptions,
  env: Readonly<Record<string, string | undefined>>,
  thrown: unknown,
): Promise<void> {
  if (!handover || !program || handover.before === null) return;
  const { store } = dataFolder(dataDir);
  if (handover.copy !== null) await restoreCopy(store, handover.copy, openDatabase);
  const failure = `the new program did not serve: ${errorText(thrown)}`;
  goBack(dataDir, program, env, { ...handover, copy: null, failure });
}

function goBack(
  dataDir: string,
  program: Program,
  env: Readonly<Record<string, string | undefined>>,
  handover: Handover,
): never {
  const { before, failure } = handover;
  if (before === null) throw new Error(`no program can go on: ${failure ?? "there is none"}`);
  const executable = `/proc/self/fd/${before}`;
  return goOver(dataDir, { ...program, executable }, env, { ...handover, before: null });
}

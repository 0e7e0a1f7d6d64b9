import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { ensureBinary } from "../support/binary.ts";
import { cleanEnv, runChild } from "../support/processes.ts";
import { makeFolder } from "../support/workspace.ts";

setDefaultTimeout(120_000);

/** It wants root, namespaces and systemd: `SEGUE_SYSTEMD=1 bun test test/e2e/systemd.test.ts`. */
test.skipIf(process.env["SEGUE_SYSTEMD"] === undefined)(
  "under a manager of systemd: ready, reloading, stopping, killed, frozen, and hardened",
  async () => {
    const rehearsal = join(import.meta.dir, "systemd-rehearsal.sh");
    const command = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", rehearsal];
    const run = await runChild({
      command: [...command, await ensureBinary()],
      env: cleanEnv(makeFolder("systemd")),
    });
    console.log(run.stdout);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stdout.trim().split("\n")).toEqual([
      "started: active success restarts 0",
      "reloaded: active success restarts 0",
      "bad settings refused: active success restarts 0",
      "restarting in its process: reloading success restarts 0",
      "restarted in its process: active success restarts 0",
      "killed: active success restarts 1",
      "frozen: active success restarts 1",
      "stopped: inactive success restarts 0",
      "its message: 1 turn, 0 messages",
      "hardened: active, seccomp 2",
      expect.stringMatching(/^its provider: .*Read-only file system .*permission denied/),
      "hardened: reloaded",
      "hardened: inactive success",
    ]);
  },
);

import { homedir } from "node:os";
import { runCommandLine } from "./cli/program.ts";
import { OutputStream, mayBeTerminal } from "./cli/screen.ts";
import { systemClock } from "./core/clock.ts";

const stdout = new OutputStream(() => process.stdout, mayBeTerminal(1));
const stderr = new OutputStream(() => process.stderr, mayBeTerminal(2));
const exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  home: homedir(),
  stdin: () => process.stdin,
  stdout,
  stderr,
  clock: systemClock,
});
await Promise.all([stdout.flush(), stderr.flush()]);
process.exit(exitCode);

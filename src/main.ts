import { homedir } from "node:os";
import { runCommandLine } from "./cli/program.ts";
import { OutputStream } from "./cli/screen.ts";
import { systemClock } from "./core/clock.ts";

const stdout = new OutputStream(process.stdout);
const stderr = new OutputStream(process.stderr);
const exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  home: homedir(),
  stdin: process.stdin,
  stdout,
  stderr,
  clock: systemClock,
});
await Promise.all([stdout.flush(), stderr.flush()]);
process.exit(exitCode);

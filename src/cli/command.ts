import type { Clock } from "../core/clock.ts";
import type { Paths } from "./paths.ts";
import type { OutputStream, Screen } from "./screen.ts";

/** What the process lends to a command line. */
export interface Surroundings {
  env: Record<string, string | undefined>;
  /** The user's home folder. */
  home: string;
  /** Opened when it is asked for. */
  stdin: () => NodeJS.ReadStream;
  stdout: OutputStream;
  stderr: OutputStream;
  clock: Clock;
}

/** Flags that every command takes (contract section 7). */
export interface CommonFlags {
  settings?: string;
  data?: string;
  url?: string;
  token?: string;
  json?: boolean;
  /** False with `--no-color`. */
  color: boolean;
}

/** What a command runs with. A command answers its exit code, or throws. */
export interface CommandContext extends Surroundings {
  flags: CommonFlags;
  paths: Paths;
  screen: Screen;
}

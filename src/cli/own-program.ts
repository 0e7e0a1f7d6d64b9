/** How Deno runs a program from its source: without these it asks for each permission. */
const underDeno = ["run", "--allow-all", "--unstable-no-legacy-abort"];

/** This same program as a command. */
export interface OwnProgram {
  /** The executable, or the runtime. */
  executable: string;
  /** The file that it was started with, where it runs from source. */
  source: string | undefined;
  /** What stands between the executable and a command's name. */
  before: readonly string[];
  /** Whether another program can take its place in the same process. */
  isReplaceable: boolean;
}

/** This same program as a command: the executable alone, or the runtime and the file it was started with. */
export function ownProgram(): OwnProgram {
  const file = process.argv[1] ?? "";
  // Inside an executable built by Bun the "file" lies in its own virtual folder.
  const isExecutable = file === "" || /^(\/\$bunfs\/|[A-Z]:[/\\]~BUN[/\\])/.test(file);
  const source = isExecutable ? undefined : file;
  const isDeno = process.versions["deno"] !== undefined;
  const before = source === undefined ? [] : [...(isDeno ? underDeno : []), source];
  return { executable: process.execPath, source, before, isReplaceable: !isDeno };
}

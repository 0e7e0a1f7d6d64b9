import type { CommandContext } from "./command.ts";

/** What a command does with its arguments and its own flags; it answers its exit code. */
export type Run<Flags> = (
  context: CommandContext,
  args: readonly (string | undefined)[],
  flags: Flags,
) => Promise<number>;

/** Makes of a command what commander calls: it loads what the command needs only when it runs. */
export type Runs = <Flags>(run: Run<Flags>) => (...given: unknown[]) => Promise<void>;

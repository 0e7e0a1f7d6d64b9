import { type Command, InvalidArgumentError } from "commander";
import type { Runs } from "./run.ts";

/** Adds the commands that read and change settings. */
export function addSettingsCommands(program: Command, runs: Runs): void {
  addFileCommands(program, runs);
  addValueCommands(program, runs);
  addRevisionCommands(program, runs);
}

function addFileCommands(program: Command, runs: Runs): void {
  program
    .command("init")
    .description("write a starter settings file; it never overwrites")
    .action(runs(async (context) => (await import("./init.ts")).init(context)));
  program
    .command("check")
    .description("check a settings file without a daemon")
    .argument("[file]", "the file (else the one the daemon would use)")
    .action(runs(async (context, [file]) => (await import("./check.ts")).check(context, file)));
  program
    .command("migrate")
    .description("write claude-mem's settings in Segue's own form; a copy of the file is kept")
    .option("--out <file>", "write a new file instead; it never overwrites")
    .action(
      runs<{ out?: string }>(async (context, _args, { out }) =>
        (await import("./migrate.ts")).migrate(context, out),
      ),
    );
  program
    .command("schema")
    .description("print the JSON Schema of the settings file")
    .action(runs(async (context) => (await import("./schema.ts")).printSchema(context)));
}

function addValueCommands(program: Command, runs: Runs): void {
  program
    .command("get")
    .description("print the settings in force, or one of them; secrets are masked")
    .argument("[key]", "dotted, such as turn.maxAttempts or providers.claude")
    .action(runs(async (context, [key]) => (await import("./setting.ts")).getSetting(context, key)));
  program
    .command("set")
    .description("write a setting into the file, comments kept, and return once it is in force")
    .argument("<key>", "dotted, such as turn.maxAttempts")
    .argument("<value>", "JSON where it parses, else text")
    .option("--dry-run", "only say what it would change")
    .action(
      runs<{ dryRun?: boolean }>(async (context, [key = "", value = ""], flags) =>
        (await import("./setting.ts")).setSetting(context, { key, value, isDryRun: flags.dryRun === true }),
      ),
    );
  program
    .command("unset")
    .description("take a setting out of the file, so that its default holds again")
    .argument("<key>", "dotted")
    .option("--dry-run", "only say what it would change")
    .action(
      runs<{ dryRun?: boolean }>(async (context, [key = ""], flags) =>
        (await import("./setting.ts")).unsetSetting(context, { key, isDryRun: flags.dryRun === true }),
      ),
    );
}

function addRevisionCommands(program: Command, runs: Runs): void {
  program
    .command("plan")
    .description("what the edit that waits would change, or a file in the place of the settings")
    .argument("[file]", "a settings file")
    .action(runs(async (context, [file]) => (await import("./plan.ts")).plan(context, file)));
  program
    .command("apply")
    .description("put the edit that waits in force (reload.mode manual)")
    .action(runs(async (context) => (await import("./reload.ts")).apply(context)));
  program
    .command("reload")
    .description("read the settings file now and return once it is in force")
    .action(runs(async (context) => (await import("./reload.ts")).reload(context)));
  program
    .command("release")
    .description("try held and parked providers again now")
    .action(runs(async (context) => (await import("./reload.ts")).release(context)));
  program
    .command("history")
    .description("list the accepted states of the settings, newest first")
    .action(runs(async (context) => (await import("./revisions.ts")).history(context)));
  program
    .command("rollback")
    .description("bring the settings of an earlier revision back; secrets stay as they are now")
    .argument("<revision>", "its number, as in history", revisionNumber)
    .action(
      runs(async (context, [revision]) =>
        (await import("./revisions.ts")).rollBack(context, Number(revision)),
      ),
    );
}

function revisionNumber(text: string): string {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError("It must be the number of a revision.");
  return text;
}

import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { buildVariant } from "../support/variant.ts";

/** Where a build of these tests breaks off, and how: it kills itself as `kill -9` does, throws, or is told to stop. */
export type Fault = `${"kill" | "throw" | "stop"} ${Place}`;

/** In the order of an upgrade. */
type Place =
  /** In the new program, as a child. */
  | "in the rehearsal"
  /** In the old one. */
  | "in the drain"
  | "when the store is closed"
  /** In the new one, as a child. */
  | "in the migration"
  /** In the new one, in the place of the old one. */
  | "before it listens"
  | "when it listens";

/** The environment of a daemon whose builds break off where `plan` says so. */
export function faultEnv(folder: string): Record<string, string> {
  return { FAULT_FILE: faultFile(folder) };
}

/** The file, beside the settings, that names the fault; without it nothing breaks off. */
function faultFile(folder: string): string {
  return join(folder, "fault");
}

/** Has the next program that gets there break off. */
export function plan(folder: string, fault: Fault): void {
  writeFileSync(faultFile(folder), fault);
}

/** A message of this text cannot be migrated by `buildFaulty`'s second version. */
export const unmigratable = "cannot be migrated";

const hook = `
import { readFileSync, rmSync } from "node:fs";
/** Breaks off, once, where $FAULT_FILE says so. */
export function faultAt(place: string): void {
  const file = process.env["FAULT_FILE"] ?? "";
  let fault = "";
  try { fault = readFileSync(file, "utf8"); } catch {}
  if (fault.endsWith(" " + place)) rmSync(file);
  if (fault === "kill " + place) process.kill(process.pid, "SIGKILL");
  if (fault === "stop " + place) process.kill(process.pid, "SIGTERM");
  if (fault === "throw " + place) throw new Error("broken off " + place);
}
`;

/** After a line that holds `line`, or before it, of a file that knows the hook by then. */
function insert(line: string, place: Place, where: "after" | "before"): (text: string) => string {
  return (text) => {
    const call = `faultAt("${place}");`;
    const both = where === "after" ? `${line}\n${call}` : `${call}\n${line}`;
    return withImport(
      text.replace(line, () => both),
      text.includes(line),
    );
  };
}

function withImport(text: string, isFound: boolean): string {
  if (!isFound) throw new Error("the place of a fault is not there any more");
  return text.includes("faultAt }") ? text : `import { faultAt } from "../core/fault.ts";\n${text}`;
}

const faults: Readonly<Record<string, (text: string) => string>> = {
  "src/core/fault.ts": () => hook,
  "src/daemon/rehearsal.ts": (text) =>
    insert(
      "export async function migrateStore({ dataDir }: DaemonOptions): Promise<void> {",
      "in the migration",
      "after",
    )(insert("  const own = dataFolder(folder).store;", "in the rehearsal", "after")(text)),
  "src/daemon/resume.ts": (text) =>
    insert(
      "  holdAlone(port);",
      "when it listens",
      "after",
    )(insert("  await front.openBehind(address, port);", "before it listens", "before")(text)),
  "src/daemon/upgrade.ts": (text) =>
    insert(
      "    const { copy, failure }",
      "when the store is closed",
      "before",
    )(insert("    front.leave();", "in the drain", "after")(text)),
};

const migration = `
CREATE TABLE proof (n INTEGER PRIMARY KEY, CHECK (n > 0)) STRICT;
INSERT INTO proof SELECT CASE WHEN content = '${unmigratable}' THEN -n ELSE n END FROM messages;
`;

/** What a program needs that has a migration more. */
const further: Readonly<Record<string, (text: string) => string>> = {
  "src/store/sqlite/migrations/9999-proof.sql": () => migration,
  "src/store/sqlite/migrations.ts": (text) =>
    `import proof from "./migrations/9999-proof.sql" with { type: "text" };\n${text.replace(
      /(const migrations: readonly string\[\] = \[[^\]]*)\]/,
      "$1, proof]",
    )}`,
};

/** A program that breaks off where it is told to. */
export function buildFaulty(version: string): Promise<string> {
  return buildVariant({ version, edits: faults, scope: "file" });
}

/** One that has a migration more. */
export function buildMigrating(version: string): Promise<string> {
  return buildVariant({ version, edits: { ...faults, ...further }, scope: "file" });
}

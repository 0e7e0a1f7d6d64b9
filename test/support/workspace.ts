import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Scope } from "./processes.ts";

const open = new Map<string, Scope>();

/** A new empty folder, as a real path; it goes, with all that is in it, when the test (or the run) ends. */
export function makeFolder(name = "work", scope: Scope = "test"): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `segue-${name}-`)));
  open.set(folder, scope);
  return folder;
}

/** Removes every folder of a scope. */
export function removeFolders(scope: Scope): void {
  for (const [folder, owner] of open)
    if (owner === scope) {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
      open.delete(folder);
    }
}

process.on("exit", () => {
  removeFolders("test");
  removeFolders("file");
});

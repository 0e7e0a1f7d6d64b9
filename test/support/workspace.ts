import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const open = new Set<string>();

/** A new empty folder, real path, removed with all that is in it after the test that asked for it. */
export function makeFolder(name = "work"): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `segue-${name}-`)));
  open.add(folder);
  return folder;
}

/** Removes every folder made so far. */
export function removeFolders(): void {
  for (const folder of open) {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    open.delete(folder);
  }
}

process.on("exit", removeFolders);

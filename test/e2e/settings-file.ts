import { renameSync, writeFileSync } from "node:fs";

/** How an editor saves. */
export type Saving = "replaced by a rename" | "written in place";

/** Saves settings as editors do: beside the file and then over it, or into it. */
export function saveSettings(path: string, settings: object | string, saving: Saving): void {
  const text = typeof settings === "string" ? settings : `${JSON.stringify(settings, null, 2)}\n`;
  if (saving === "written in place") {
    writeFileSync(path, text);
    return;
  }
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

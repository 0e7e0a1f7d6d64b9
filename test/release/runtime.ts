import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { extract } from "tar";
import { projectFolder } from "../support/binary.ts";
import { outputOf } from "./output.ts";
import { bunVersion, type Target } from "./targets.ts";

const cache = join(projectFolder, "dist", "cache");

/**
 * The executable of Bun for a target, from the registry's package, whose sum is known; kept in an ignored folder.
 * For this machine too: the one that runs may be another build of the same version.
 */
export async function runtimeFor({ name, runtimePackage, integrity }: Target): Promise<string> {
  const folder = join(cache, `bun-${bunVersion}-${name}`);
  const executable = join(folder, "package", "bin", "bun");
  if (existsSync(executable)) return executable;
  const fetched = `${folder}.new`;
  rmSync(fetched, { recursive: true, force: true });
  mkdirSync(fetched, { recursive: true });
  const spec = `${runtimePackage}@${bunVersion}`;
  const packing = ["npm", "pack", spec, "--silent", "--pack-destination", fetched];
  const archive = join(fetched, (await outputOf(packing, projectFolder)).trim());
  requireIntegrity(spec, archive, integrity);
  await extract({ file: archive, cwd: fetched, filter: (path) => path === "package/bin/bun" });
  rmSync(archive);
  renameSync(fetched, folder);
  return executable;
}

function requireIntegrity(spec: string, file: string, integrity: string): void {
  const found = `sha512-${createHash("sha512").update(readFileSync(file)).digest("base64")}`;
  if (found !== integrity) throw new Error(`${spec} is another than the one that is known: ${found}`);
}

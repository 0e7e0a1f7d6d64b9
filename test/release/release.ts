import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { projectFolder } from "../support/binary.ts";
import { writeArchive, writeSums } from "./archive.ts";
import { buildProgram, isRunHere, presentSource, type Source } from "./build.ts";
import { runtimeFor } from "./runtime.ts";
import { bunVersion, hostName, type Target, targetNamed, targets } from "./targets.ts";

// `bun run release`: archives for all systems and their sums, in dist/release. `--target NAME`, repeatable, makes only
// those; `--twice` makes everything a second time and fails where a sum is another.

const { values } = parseArgs({
  options: { target: { type: "string", multiple: true }, twice: { type: "boolean", default: false } },
});

if (Bun.version !== bunVersion)
  throw new Error(`a release is built by Bun ${bunVersion}, not ${Bun.version}`);
const wanted = values.target?.map(targetNamed) ?? targets;
const source = await presentSource();
console.log(`Segue ${source.version}, ${source.commit}`);
if (!/^[0-9a-f]{40}$/.test(source.commit))
  console.log("This is not what a commit holds: nobody can make it again.");
const sums = await release(join(projectFolder, "dist", "release"), source);
if (values.twice) await compare(sums);

/** Makes the folder anew. */
async function release(folder: string, from: Source): Promise<Map<string, string>> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const files: string[] = [];
  for (const target of wanted) files.push(await releaseFor(target, folder, from));
  const script = join(folder, "install.sh");
  copyFileSync(join(projectFolder, "src", "examples", "install.sh"), script);
  const made = writeSums([...files, script], folder);
  for (const [name, sum] of made) console.log(`${sum}  ${name}`);
  return made;
}

async function releaseFor(target: Target, folder: string, from: Source): Promise<string> {
  const { name } = target;
  const work = join(folder, `work-${name}`);
  mkdirSync(work);
  const program = join(work, "segue");
  await buildProgram(program, from, { target, runtime: await runtimeFor(target) });
  const isRun = await isRunHere(program, from);
  if (!isRun && name === hostName())
    throw new Error(`the build for this machine, ${name}, does not run on it`);
  console.log(`${name}: ${isRun ? "built, and run here" : "built; it was NOT run: this machine cannot"}`);
  const archive = await writeArchive({ name, program, isRun, source: from }, work);
  const file = join(folder, basename(archive));
  copyFileSync(archive, file);
  rmSync(work, { recursive: true });
  return file;
}

async function compare(first: ReadonlyMap<string, string>): Promise<void> {
  const again = await release(join(projectFolder, "dist", "release-again"), source);
  const other = [...first].filter(([name, sum]) => again.get(name) !== sum).map(([name]) => name);
  rmSync(join(projectFolder, "dist", "release-again"), { recursive: true });
  if (other.length > 0) throw new Error(`made twice, not the same: ${other.join(", ")}`);
  console.log(`Made twice: the same ${first.size} sums.`);
}

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { projectFolder } from "../support/binary.ts";
import { bunVersion } from "./targets.ts";

interface PackageFile {
  name: string;
  version: string;
  license?: string;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

/** A package of the program, and what it wants to be said of it. */
interface Notice {
  name: string;
  version: string;
  license: string;
  text: string;
}

const noticesPath = join(projectFolder, "THIRD-PARTY-NOTICES.md");

/** The licences of all that is in the executable: of Bun, and of each package that it depends on to run. */
export function thirdPartyNotices(): string {
  const notices = runtimePackages().map(noticeOf);
  const byText = Map.groupBy(notices, ({ license, text }) => `${license}\n${text}`);
  const sections = Array.from(byText.values(), sectionOf);
  return `# Third-party notices

Segue's executable holds what is listed here. Made by \`bun run notices\` from what is installed; not to be edited.

${bunSection()}
${sections.join("\n")}`;
}

function sectionOf(notices: readonly Notice[]): string {
  const [first] = notices;
  const names = notices.map(({ name, version }) => `${name} ${version}`);
  const text = first?.text === "" ? "The package holds no text of it." : fenced(first?.text ?? "");
  return `## ${names.join(", ")}\n\n${first?.license}\n\n${text}\n`;
}

function fenced(text: string): string {
  return `\`\`\`text\n${text}\n\`\`\``;
}

/** What Bun says of itself, from the pages that come with its types, a level deeper. */
function bunSection(): string {
  const page = readFileSync(join(projectFolder, "node_modules/bun-types/docs/project/license.mdx"), "utf8");
  const body = page.replace(/^---\n[^]*?\n---\n/, "").trim();
  const source = `https://github.com/oven-sh/bun/tree/bun-v${bunVersion}`;
  return `## Bun ${bunVersion}\n\nIts source: ${source}\n\n${body.replaceAll(/^## /gm, "### ")}\n`;
}

/** The folders of the packages that are needed to run, sorted by name; what is optional is not bundled. */
function runtimePackages(): string[] {
  const found = new Set<string>();
  const visit = (folder: string): void => {
    const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = packageIn(folder);
    const peers = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional);
    for (const name of [...Object.keys(dependencies), ...peers]) {
      const other = folderOf(name, folder);
      if (found.has(other)) continue;
      found.add(other);
      visit(other);
    }
  };
  visit(projectFolder);
  const key = (folder: string): string => `${packageIn(folder).name} ${packageIn(folder).version}`;
  return [...found].toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
}

/** Where Node.js would find a package from a folder. */
function folderOf(name: string, from: string): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(candidate)) return candidate;
  }
  throw new Error(`${name}, needed in ${from}, is not installed`);
}

function noticeOf(folder: string): Notice {
  const { name, version, license = "no licence named" } = packageIn(folder);
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  const texts = files.toSorted().map((file) => readFileSync(join(folder, file), "utf8"));
  const text = texts.map((each) => each.replaceAll("\r\n", "\n").trim()).join("\n\n");
  return { name, version, license, text };
}

function packageIn(folder: string): PackageFile {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

if (import.meta.main) {
  writeFileSync(noticesPath, thirdPartyNotices());
  console.log(`Wrote ${noticesPath}`);
}

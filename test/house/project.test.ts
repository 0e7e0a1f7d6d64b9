import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { projectFolder } from "../support/binary.ts";
import { filesBelow, finding } from "./source.ts";

const topLevel = ["src", "test", "bunfig.toml", "package.json", "tsconfig.json", "README.md"].concat([
  "bun.lock",
  "LICENSE",
  "CHANGELOG.md",
  "THIRD-PARTY-NOTICES.md",
]);
/** What git ignores. */
const made = ["node_modules", "dist", "coverage"];

interface PackageFile {
  version: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

function readText(path: string): string {
  return readFileSync(join(projectFolder, path), "utf8");
}

test("nothing but the agreed files stands at the top, dot files aside", () => {
  const found = readdirSync(projectFolder).filter((name) => !name.startsWith(".") && !name.endsWith(".log"));
  expect(found.filter((name) => !topLevel.includes(name) && !made.includes(name))).toEqual([]);
  expect(topLevel.filter((name) => !existsSync(join(projectFolder, name)))).toEqual([]);
});

test("every dependency is pinned to one version", () => {
  const { dependencies, devDependencies }: PackageFile = JSON.parse(readText("package.json"));
  const all = Object.entries({ ...dependencies, ...devDependencies });
  expect(all.length).toBeGreaterThan(10);
  expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

test("the changelog tells of the present version", () => {
  const { version }: PackageFile = JSON.parse(readText("package.json"));
  expect(readText("CHANGELOG.md")).toContain(`## [${version}]`);
});

test("files are named by nouns in kebab-case, and none is a catch-all", () => {
  const files = [...filesBelow("src"), ...filesBelow("test")].filter((path) => /\.tsx?$/.test(path));
  const names = files.map((path) => basename(path).replace(/(\.d|\.test)?\.tsx?$/, ""));
  const catchAll = [
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "types",
    "index",
    "misc",
    "lib",
    "shared",
  ];
  expect(names.filter((name) => catchAll.includes(name))).toEqual([]);
  expect(names.filter((name) => !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))).toEqual([]);
});

test("no file names a folder or a host of the machine it was written on", () => {
  const foreign = /(?<![\w.])\/(work|root)\/|\blocalhost:4873\b|\b(10|192\.168)\.\d+\.\d+\.\d+\b|registry=/;
  const own = [...filesBelow("src"), ...filesBelow("test"), ...topLevel.filter((name) => name.includes("."))];
  const found = own.concat(dotFiles()).flatMap((path) => {
    const text = readText(path);
    const start = text.search(foreign);
    return start < 0 || path === "test/house/project.test.ts"
      ? []
      : [finding({ path, text }, start, "machine")];
  });
  expect(found).toEqual([]);
});

/** In a work tree of its own `.git` is a file that says where the rest is. */
function dotFiles(): string[] {
  const entries = readdirSync(projectFolder, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name !== ".git");
  return files.map(({ name }) => name).filter((name) => name.startsWith("."));
}

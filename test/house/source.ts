import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { parseSync, type Comment, type Program } from "oxc-parser";
import { projectFolder } from "../support/binary.ts";

/** A node of the syntax tree (ESTree with TypeScript). */
export type SyntaxNode = Readonly<Record<string, unknown>> & {
  readonly type: string;
  readonly start: number;
};

/** What a file imports, statically or not: a package, a runtime module, or a file as a path from the project. */
export interface Import {
  from: string;
  start: number;
  isType: boolean;
}

/** A TypeScript file of the project. */
export interface SourceFile {
  /** From the project's folder, with slashes. */
  path: string;
  text: string;
  program: Program;
  comments: readonly Comment[];
  imports: readonly Import[];
}

/** Every TypeScript file below a folder of the project. */
export function sourceFiles(folder: "src" | "test"): SourceFile[] {
  return filesBelow(folder)
    .filter((path) => path.endsWith(".ts") || path.endsWith(".tsx"))
    .map(read);
}

/** Every file below a folder of the project, as paths from the project's folder. */
export function filesBelow(folder: string): string[] {
  return readdirSync(join(projectFolder, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(projectFolder, join(entry.parentPath, entry.name)));
}

/** `path:line`, and what is wrong there. */
export function finding(file: { path: string; text: string }, start: number, what: string): string {
  return `${file.path}:${file.text.slice(0, start).split("\n").length}: ${what}`;
}

/** Visits every node of a tree, from the outside in. */
export function eachNode(root: unknown, visit: (node: SyntaxNode) => void): void {
  if (Array.isArray(root)) for (const item of root) eachNode(item, visit);
  else if (isNode(root)) {
    visit(root);
    for (const value of Object.values(root)) if (typeof value === "object") eachNode(value, visit);
  }
}

/** Whether something is a node, of a type if one is given. */
export function isNode(value: unknown, type?: string): value is SyntaxNode {
  if (typeof value !== "object" || value === null || !("type" in value)) return false;
  return typeof value.type === "string" && (type === undefined || value.type === type);
}

/** The dotted name of an expression such as `Date.now`; undefined for anything else. */
export function dottedName(node: unknown): string | undefined {
  if (isNode(node, "Identifier")) return String(node["name"]);
  if (!isNode(node, "MemberExpression") || node["computed"] === true) return undefined;
  const object = dottedName(node["object"]);
  return object === undefined ? undefined : `${object}.${dottedName(node["property"])}`;
}

/** Parses one text as if it stood at `path`. */
export function parseSource(path: string, text: string): SourceFile {
  const { program, comments, module, errors } = parseSync(path, text, { sourceType: "module" });
  if (errors.length > 0) throw new Error(`${path} cannot be parsed: ${errors[0]?.message}`);
  const statics = [...module.staticImports, ...module.staticExports.flatMap(({ entries }) => entries)];
  const imports = statics.flatMap((statement): Import[] => {
    const request = statement.moduleRequest;
    if (!request) return [];
    const isType =
      "isType" in statement ? statement.isType : statement.entries.every((entry) => entry.isType);
    return [{ from: resolved(path, request.value), start: statement.start, isType }];
  });
  for (const { moduleRequest } of module.dynamicImports) {
    const request = text.slice(moduleRequest.start, moduleRequest.end);
    imports.push({ from: resolved(path, request.slice(1, -1)), start: moduleRequest.start, isType: false });
  }
  return { path, text, program, comments, imports };
}

function read(path: string): SourceFile {
  return parseSource(path, readFileSync(join(projectFolder, path), "utf8"));
}

function resolved(path: string, request: string): string {
  // What stands for a runtime's own file: package.json says which.
  if (request === "#platform/hash") return "src/platform/hash";
  if (request.startsWith("#platform")) return "src/platform/platform.ts";
  return request.startsWith(".") ? posix.join(dirname(path), request) : request;
}

import { expect, test } from "bun:test";
import {
  eachNode,
  finding,
  isNode,
  parseSource,
  sourceFiles,
  type SourceFile,
  type SyntaxNode,
} from "./source.ts";

/** Exports of a file that have no doc comment right before them. */
function undocumented(file: SourceFile): string[] {
  return file.program.body.flatMap((statement) => {
    if (statement.type !== "ExportNamedDeclaration" || statement.declaration === null) return [];
    const isDocumented = file.comments.some(
      ({ type, value, end }) =>
        type === "Block" &&
        value.startsWith("*") &&
        end <= statement.start &&
        file.text.slice(end, statement.start).trim() === "",
    );
    const [line = ""] = file.text.slice(statement.start, statement.end).split("\n");
    return isDocumented ? [] : [finding(file, statement.start, `no doc comment: ${line}`)];
  });
}

/** Ways to silence the compiler or the linter, and what was left for later. */
function silenced(file: SourceFile): string[] {
  const found: string[] = [];
  eachNode(file.program, (node) => {
    const what = silencing(node);
    if (what !== undefined) found.push(finding(file, node.start, what));
  });
  for (const { value, start } of file.comments)
    if (/\b(TODO|FIXME|XXX|HACK)\b|@ts-(ignore|nocheck|expect-error)|(oxlint|eslint)-disable/.test(value))
      found.push(finding(file, start, `comment: ${value.trim()}`));
  return found;
}

function silencing(node: SyntaxNode): string | undefined {
  if (node.type === "TSAnyKeyword") return "the type any";
  if (node.type === "TSNonNullExpression") return "the non-null operator";
  if (node.type !== "TSAsExpression" && node.type !== "TSTypeAssertion") return undefined;
  const target = node["typeAnnotation"];
  if (isNode(target, "TSNeverKeyword") || isNode(target, "TSUnknownKeyword"))
    return "a cast over unknown or never";
  return undefined;
}

test("every export of src has a doc comment", () => {
  expect(sourceFiles("src").flatMap(undocumented)).toEqual([]);
});

test.each(["src", "test"] as const)("nothing in %s is silenced or left for later", (folder) => {
  expect(sourceFiles(folder).flatMap(silenced)).toEqual([]);
});

test("an export without a comment is found, whatever it exports", () => {
  const exported = [
    "function a() {}",
    "const b = 1;",
    "class C {}",
    "interface D {}",
    "type E = 1;",
    "async function f() {}",
  ];
  for (const text of exported) {
    expect(undocumented(parseSource("src/a.ts", `/** Says so. */\nexport ${text}`))).toEqual([]);
    expect(undocumented(parseSource("src/a.ts", `// Not a doc comment.\nexport ${text}`))).toHaveLength(1);
    expect(undocumented(parseSource("src/a.ts", `export ${text}\n/** Of what follows. */`))).toHaveLength(1);
    expect(
      undocumented(parseSource("src/a.ts", `/** Of another. */\nconst z = 1;\nexport ${text}`)),
    ).toHaveLength(1);
  }
});

test.each([
  "const a: any = 1;",
  "const a = b!;",
  "const a = b as unknown as string;",
  "const a = b as never;",
  "// TODO: later",
  "// @ts-ignore",
  "// oxlint-disable-next-line",
])("%s is found", (text) => {
  expect(silenced(parseSource("src/a.ts", text))).not.toEqual([]);
});

test("plain code is not taken for silenced", () => {
  const text = `const a = b as const; const any = "TODO"; const c = !d; const e = f !== g; let h: unknown;`;
  expect(silenced(parseSource("src/a.ts", text))).toEqual([]);
});

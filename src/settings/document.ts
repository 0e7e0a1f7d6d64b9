import {
  createScanner,
  getLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { dotted, knownAt } from "./keys.ts";
import type { Problem } from "../core/errors.ts";
import { type Finding, nameText, placeFindings } from "./finding.ts";

/** Largest settings file and referenced file. */
export const maxFileBytes = 1024 * 1024;

/** Deeper than any settings file needs, far from what could exhaust a stack. */
const maxDepth = 64;
const maxSyntaxFindings = 10;
const byteOrderMark = "\uFEFF";

/** A settings file that parsed: an object, its text without byte-order mark, and that mark. */
export interface Document {
  root: Node;
  text: string;
  mark: string;
}

/** A file that did not, with as much text as places need. */
interface Broken {
  findings: Finding[];
  text: string;
}

/** Bytes to a tree, or what keeps them from being one. Takes time in proportion to the bytes. */
export function parseDocument(bytes: Uint8Array): { document: Document } | { broken: Broken } {
  if (bytes.length > maxFileBytes) {
    return brokenFile(`the file must be at most ${maxFileBytes} bytes (got ${bytes.length})`);
  }
  const decoded = decodeUtf8(bytes);
  if (decoded === undefined) return notUtf8(bytes);
  const mark = decoded.startsWith(byteOrderMark) ? byteOrderMark : "";
  const text = decoded.slice(mark.length);
  const tooDeep = findTooDeep(text);
  if (tooDeep) return { broken: { findings: [tooDeep], text } };
  return parseText(text, mark);
}

/** What a settings file says, as plain JSON; its problems where it does not parse. */
export function settingsValue(bytes: Uint8Array): { value: unknown } | { problems: Problem[] } {
  const parsed = parseDocument(bytes);
  if ("document" in parsed) return { value: getNodeValue(parsed.document.root) };
  return { problems: placeFindings(parsed.broken.findings, parsed.broken.text) };
}

/** Strict UTF-8, byte-order mark kept; undefined where the bytes are none. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parseText(text: string, mark: string): { document: Document } | { broken: Broken } {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (!root) {
    const isBlank = errors.every(({ error }) => printParseErrorCode(error) === "ValueExpected");
    if (isBlank) return brokenFile("the file is empty; write {} for defaults", text);
  }
  if (errors.length > 0 || !root) return { broken: { findings: syntaxFindings(text, errors), text } };
  if (root.type !== "object") {
    const message = `the file must hold an object, like {} (got ${root.type === "array" ? "a list" : root.type})`;
    return { broken: { findings: [{ path: "", message, offset: root.offset }], text } };
  }
  return { document: { root, text, mark } };
}

function brokenFile(message: string, text = ""): { broken: Broken } {
  return { broken: { findings: [{ path: "", message, offset: 0 }], text } };
}

function notUtf8(bytes: Uint8Array): { broken: Broken } {
  const text = new TextDecoder("utf-8").decode(bytes);
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const message = `the file must be UTF-8${isUtf16 ? " (this looks like UTF-16)" : ""}; save it as UTF-8`;
  return { broken: { findings: [{ path: "", message, offset: Math.max(0, text.indexOf("\uFFFD")) }], text } };
}

/**
 * The first bracket beyond the depth that the recursive parser is given; found without recursion. A closing bracket
 * of the wrong kind closes nothing, as in the parser.
 */
function findTooDeep(text: string): Finding | undefined {
  const scanner = createScanner(text, true);
  const open: string[] = [];
  let end = -1;
  for (scanner.scan(); scanner.getPosition() > end; scanner.scan()) {
    end = scanner.getPosition();
    const offset = scanner.getTokenOffset();
    const first = text[offset];
    if (first === "{") open.push("}");
    else if (first === "[") open.push("]");
    else if (first === open.at(-1)) open.pop();
    if (open.length > maxDepth) {
      return { path: "", message: `nested too deeply (more than ${maxDepth} levels)`, offset };
    }
  }
  return undefined;
}

/** The first error of each line: those after it are mostly its echo. */
function syntaxFindings(text: string, errors: readonly ParseError[]): Finding[] {
  const findings: Finding[] = [];
  let lineEnd = -1;
  for (const parsed of errors) {
    if (findings.length === maxSyntaxFindings) break;
    const { error } = parsed;
    // A comma is missing where the value ends, not where the parser noticed it, lines later.
    const isComma = printParseErrorCode(error) === "CommaExpected";
    const offset = isComma ? endOfTokenBefore(text, parsed.offset) : parsed.offset;
    if (offset <= lineEnd) continue;
    const rest = text.slice(offset).search(/[\r\n]/);
    lineEnd = rest < 0 ? text.length : offset + rest;
    const message = describe(printParseErrorCode(error), text, offset);
    findings.push({ path: pathAt(text.slice(0, lineEnd), offset), message, offset });
  }
  return findings;
}

/** The end of what stands before a place, comments aside. */
function endOfTokenBefore(text: string, offset: number): number {
  const scanner = createScanner(text, true);
  let end = 0;
  for (scanner.scan(); scanner.getTokenOffset() < offset; scanner.scan()) {
    if (scanner.getPosition() <= end) break;
    end = scanner.getPosition();
  }
  return end;
}

/** The path of a place, as far as its names are known: in a broken text anything may look like the name of a key. */
function pathAt(text: string, offset: number): string {
  const path = getLocation(text, offset).path.filter((segment) => segment !== "");
  const names = path.map(String);
  const unknown = names.findIndex((name, index) => {
    const isItem = typeof path[index] === "number";
    return !isItem && !knownAt(names.slice(0, index + 1)) && !/^(env|CLAUDE_MEM_[A-Z_]+)$/.test(name);
  });
  return dotted((unknown < 0 ? path : path.slice(0, unknown)).map(nameText));
}

const messages: Readonly<Record<string, string>> = {
  InvalidSymbol: "this is not JSON: keys and texts stand in double quotes",
  InvalidNumberFormat: "this is not a number",
  PropertyNameExpected: 'expected a key in double quotes, or "}"',
  ValueExpected: "expected a value",
  ColonExpected: 'expected ":" after the key',
  CommaExpected: 'expected "," or a closing bracket',
  CloseBraceExpected: 'expected "}"',
  CloseBracketExpected: 'expected "]"',
  EndOfFileExpected: "expected the end of the file",
  UnexpectedEndOfComment: "this comment does not end",
  UnexpectedEndOfString: "this text does not end on its line",
  UnexpectedEndOfNumber: "this number is not complete",
  InvalidUnicode: "\\u must be followed by four hexadecimal digits",
  InvalidEscapeCharacter: "no such escape in JSON",
  InvalidCharacter: "a control character must be written as an escape",
};

function describe(code: string, text: string, offset: number): string {
  const message = messages[code] ?? "this is not JSON";
  return text.slice(offset).trim() === "" ? `${message}, but the file ends here` : message;
}

import * as v from "valibot";
import { type Finding, valueText } from "./finding.ts";
import { type Leaf, offsetOf } from "./leaf.ts";
import type { ReferenceKind, References, Resolved } from "./references.ts";

/** What is wrong with a value; `reference` where the value came by one. */
interface Fault extends Finding {
  reference: ReferenceKind | undefined;
}

/** A leaf with its references resolved and its value judged by the table. */
export interface Judged {
  leaf: Leaf;
  /** Undefined where there is a fault. */
  value: unknown;
  /** The first reference in the value. */
  reference: ReferenceKind | undefined;
  /** Texts that came by a reference, of all items where the value is a list. */
  referred: readonly string[];
  /** What is wrong with the value. */
  fault: Fault | undefined;
}

/** Resolves and judges one leaf. Messages never show the value of a secret key, nor what a reference stands for. */
export function judge(leaf: Leaf, references: References): Judged {
  const items = resolveItems(leaf.raw, references);
  const reference = items.find(({ resolved }) => resolved.reference)?.resolved.reference;
  const referred = items.flatMap(({ resolved }) =>
    resolved.kind === "text" && resolved.reference ? [resolved.text] : [],
  );
  const broken = items.find(({ resolved }) => resolved.kind === "unresolved");
  if (broken?.resolved.kind === "unresolved") {
    const fault = faultOf(leaf, broken.resolved.message, broken.resolved.reference, broken.index);
    return { leaf, value: undefined, reference, referred, fault };
  }
  const value = withResolved(leaf.raw, items);
  const fault = judgeValue(leaf, value, reference);
  return { leaf, value: fault ? undefined : value, reference, referred, fault };
}

interface Item {
  /** Place in a list; undefined for the value itself. */
  index: number | undefined;
  resolved: Resolved;
}

function resolveItems(raw: unknown, references: References): Item[] {
  if (typeof raw === "string") return [{ index: undefined, resolved: references.resolve(raw) }];
  if (!Array.isArray(raw)) return [];
  return raw.flatMap((item: unknown, index) =>
    typeof item === "string" ? [{ index, resolved: references.resolve(item) }] : [],
  );
}

function withResolved(raw: unknown, items: readonly Item[]): unknown {
  const texts = new Map(
    items.map(({ index, resolved }) => [index, resolved.kind === "text" ? resolved.text : ""]),
  );
  if (!Array.isArray(raw)) return texts.get(undefined) ?? raw;
  return raw.map((item: unknown, index) => texts.get(index) ?? item);
}

function judgeValue(leaf: Leaf, value: unknown, reference: ReferenceKind | undefined): Fault | undefined {
  const { success, issues } = v.safeParse(leaf.key.schema, value, { abortEarly: true, abortPipeEarly: true });
  if (success) return undefined;
  const [issue] = issues;
  const item = Number(issue.path?.[0]?.key ?? Number.NaN);
  const isItem = Number.isInteger(item);
  const got = reference ? " (from a reference)" : gotText(leaf, issue.input);
  return faultOf(leaf, issue.message + got, reference, isItem ? item : undefined);
}

/** A longer text where none of its kind belongs may be a key that was pasted into the wrong place: it is not shown. */
const longestQuoted = 16;
/** Keys whose value may hold a secret without being one. */
const unquoted: ReadonlySet<string> = new Set(["baseUrl", "argv"]);

function gotText(leaf: Leaf, input: unknown): string {
  const isUnquoted = leaf.key.secret || unquoted.has(leaf.path.at(-1) ?? "");
  if (isUnquoted) return "";
  const isLong = typeof input === "string" && input.length > longestQuoted;
  return isLong ? ` (got a text of ${input.length} characters)` : ` (got ${valueText(input)})`;
}

function faultOf(leaf: Leaf, message: string, reference: ReferenceKind | undefined, item?: number): Fault {
  const path = item === undefined ? leaf.name : `${leaf.name}.${item}`;
  const giver = leaf.flag ?? leaf.legacy;
  const from = giver === undefined ? "" : `${giver}: `;
  return { path, message: `${from}${path} ${message}`, offset: offsetOf(leaf, item), reference };
}

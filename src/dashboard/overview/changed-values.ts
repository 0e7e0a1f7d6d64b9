import { parse } from "jsonc-parser";

/** What a key was and is, as text; `default` where the file does not say it. */
export interface ChangedValue {
  key: string;
  before: string;
  after: string;
}

/** What each changed key was in one settings text and is in another. Secrets are masked in both already. */
export function changedValues(
  keys: readonly string[],
  before: string | null,
  after: string | null,
): ChangedValue[] {
  const old: unknown = parse(before ?? "{}");
  const present: unknown = parse(after ?? "{}");
  return keys.map((key) => ({ key, before: valueText(at(old, key)), after: valueText(at(present, key)) }));
}

function valueText(value: unknown): string {
  if (value === undefined) return "default";
  return typeof value === "string" && value !== "" ? value : JSON.stringify(value);
}

/** The value at a dotted name; a name of a provider may have dots itself, so the longest that fits counts. */
function at(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  const entries = new Map<string, unknown>(Object.entries(value));
  if (entries.has(key)) return entries.get(key);
  for (let dot = key.lastIndexOf("."); dot > 0; dot = key.lastIndexOf(".", dot - 1)) {
    const head = key.slice(0, dot);
    if (entries.has(head)) return at(entries.get(head), key.slice(dot + 1));
  }
  return undefined;
}

import type { Problem } from "../core/errors.ts";
import { unknown } from "./entries.ts";
import type { Finding } from "./finding.ts";
import { judge } from "./judged.ts";
import { knownAt, pathOf } from "./keys.ts";
import type { Leaf } from "./leaf.ts";
import { type Outside, References } from "./references.ts";

/** A setting given on the command line: it beats the file. */
export interface Flag {
  /** Dotted. */
  key: string;
  value: unknown;
  /** How the user wrote it, for messages: `--port`; `--set KEY` where it is left out. */
  name?: string;
}

/** Flags as leaves, the last of each key; flags that name no key are findings. */
export function readFlags(flags: readonly Flag[]): { leaves: Leaf[]; findings: Finding[] } {
  const leaves = new Map<string, Leaf>();
  const findings: Finding[] = [];
  for (const flag of flags) {
    const leaf = readFlag(flag);
    if ("offset" in leaf) findings.push(leaf);
    else leaves.set(flag.key, leaf);
  }
  return { leaves: [...leaves.values()], findings };
}

/** What is wrong with flags by themselves, whatever the file says: a mistake in the command line, not in the file. */
export function flagProblems(flags: readonly Flag[], outside: Outside): Problem[] {
  const { leaves, findings } = readFlags(flags);
  const references = new References(outside);
  const faults = leaves.flatMap((leaf) => judge(leaf, references).fault ?? []);
  return [...findings, ...faults].map(({ path, message }) => ({ path, message }));
}

function readFlag({ key: name, value, name: written = `--set ${name}` }: Flag): Leaf | Finding {
  const path = pathOf(name);
  const known = knownAt(path);
  if (!known) {
    const finding = unknown(path, null, []);
    return { ...finding, message: `${written}: ${finding.message}` };
  }
  if (known.kind === "group") {
    return {
      path: name,
      message: `${written}: ${name} is a group of keys; name one key in it`,
      offset: null,
    };
  }
  const { key } = known;
  const isText = key.form === "text" || key.form === "choice";
  const raw = isText && (typeof value === "number" || typeof value === "boolean") ? String(value) : value;
  return { key, name, path, raw, node: undefined, flag: written, legacy: undefined };
}

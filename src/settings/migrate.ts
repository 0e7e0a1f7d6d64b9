import { parseDocument } from "./document.ts";
import { settingsKeys } from "./keys.ts";
import { type LegacyEntries, readLegacy } from "./legacy.ts";
import type { Leaf } from "./leaf.ts";

/**
 * A settings file of claude-mem in Segue's own form: the same settings, each with a comment that says which key it came
 * from, and a list of the keys that were left out. Undefined where the bytes are no file of claude-mem's. Secrets are
 * written as they stand there.
 */
export function migratedText(bytes: Uint8Array): string | undefined {
  const parsed = parseDocument(bytes);
  const legacy = "document" in parsed ? readLegacy(parsed.document.root) : undefined;
  if (!legacy || legacy.findings.length > 0) return undefined;
  const lines = ["{", ...head, ...linesOf(inOrder(legacy), 0), ...leftOut(legacy), "}", ""];
  return lines.join("\n");
}

const head = [
  "  // Written by `segue migrate` from the settings of claude-mem: behind each value stands the key it came from.",
  "",
];

/** The order of the table; a group's keys stand together. */
function inOrder({ leaves }: LegacyEntries): Leaf[] {
  const order = settingsKeys();
  return leaves.toSorted(
    (a, b) => order.indexOf(a.key) - order.indexOf(b.key) || a.name.localeCompare(b.name),
  );
}

function linesOf(leaves: readonly Leaf[], depth: number): string[] {
  const indent = "  ".repeat(depth + 1);
  const groups = [...Map.groupBy(leaves, ({ path }) => path[depth] ?? "")];
  return groups.flatMap(([name, members], index) => {
    const comma = index < groups.length - 1 ? "," : "";
    const [first] = members;
    if (first && first.path.length === depth + 1)
      return [`${indent}${JSON.stringify(name)}: ${JSON.stringify(first.raw)}${comma} // ${originOf(first)}`];
    return [`${indent}${JSON.stringify(name)}: {`, ...linesOf(members, depth + 1), `${indent}}${comma}`];
  });
}

function originOf({ legacy = "", node }: Leaf): string {
  return node ? legacy : `implied by ${legacy}`;
}

function leftOut({ ignored }: LegacyEntries): string[] {
  if (ignored.length === 0) return [];
  // A name may hold anything, an end of line included.
  return [
    "",
    "  // Left out, for Segue has nothing like them:",
    ...ignored.map((name) => `  //   ${JSON.stringify(name).slice(1, -1)}`),
  ];
}

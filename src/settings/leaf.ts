import { getNodeValue, type Node } from "jsonc-parser";
import type { SettingsKey } from "./keys.ts";

/** A value that was given for a key, in the file or by a flag, as it was written. */
export interface Leaf {
  key: SettingsKey;
  /** `providers.claude.model`: the dotted name with the provider's own name in it. */
  name: string;
  path: readonly string[];
  raw: unknown;
  /** Where the value stands in the file; undefined for a flag. */
  node: Node | undefined;
  /** The flag that gave the value, as the user knows it; undefined for the file. */
  flag: string | undefined;
  /** The key of claude-mem's that gave the value, as the file writes it; undefined elsewhere. */
  legacy: string | undefined;
}

/** The place of a leaf's value, or of one item of it where it is a list. */
export function offsetOf({ node }: Leaf, item?: number): number | null {
  if (!node) return null;
  const inner = item === undefined ? undefined : node.children?.[item];
  return (inner ?? node).offset;
}

/** The value of a node; objects have no prototype. */
export function valueOf(node: Node): unknown {
  return getNodeValue(node);
}

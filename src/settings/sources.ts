import { type Assembled, type Given, isAbsentKey } from "./assemble.ts";
import { leafNames } from "./keys.ts";
import type { ReferenceKind } from "./references.ts";

/** Where the value of a key comes from. `resolved` stands where there is a reference. */
export interface Source {
  source: "default" | "file" | "flag" | "legacy";
  reference?: ReferenceKind;
  resolved?: boolean;
}

/** By dotted name, every key of every provider included. */
export type Sources = Readonly<Record<string, Source>>;

/** Says of every key where its value comes from. */
export function sourcesOf(given: Given, assembled: Assembled): Sources {
  const names = leafNames(Object.keys(assembled.settings.providers));
  return Object.fromEntries(names.map((name) => [name, sourceOf(name, given, assembled)]));
}

function sourceOf(name: string, given: Given, { settings, keyVariables }: Assembled): Source {
  const judged = given.values.get(name);
  if (judged && !isAbsentKey(judged)) {
    const inFile = judged.leaf.legacy === undefined ? "file" : "legacy";
    const source = judged.leaf.flag === undefined ? inFile : "flag";
    const { leaf, reference, fault, value } = judged;
    const isEmptyKey = leaf.key.secret && value === "";
    return reference ? { source, reference, resolved: fault === undefined && !isEmptyKey } : { source };
  }
  const provider = providerOfKey(name);
  if (provider === undefined || !keyVariables.has(provider)) return { source: "default" };
  const resolved = settings.providers[provider]?.apiKey !== undefined;
  return { source: "default", reference: "env", resolved };
}

/** The provider whose API key this is. */
function providerOfKey(name: string): string | undefined {
  return /^providers\.(.+)\.apiKey$/s.exec(name)?.[1];
}

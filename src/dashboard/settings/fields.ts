import * as v from "valibot";

/** How a value is typed in. */
export type FieldKind = "text" | "long text" | "whole" | "number" | "choice" | "list" | "secret";

/** One setting as the form shows it. */
export interface Field {
  /** Dotted, as the plan and the provenance name it. */
  name: string;
  path: readonly string[];
  /** The last part of the name. */
  label: string;
  kind: FieldKind;
  description: string;
  /** `live`, `turn` or `restart`. */
  class: string;
  /** Empty where it has none. */
  unit: string;
  min: number | undefined;
  max: number | undefined;
  options: readonly string[];
  /** What the file may leave unsaid; undefined where it depends on the kind, or where there is none. */
  default: unknown;
}

/** Settings that stand together. */
export interface FieldGroup {
  name: string;
  fields: readonly Field[];
}

/** What the settings' JSON Schema says, as far as a form needs it. */
export interface Form {
  /** Without the providers; the keys at the top of the file first. */
  groups: readonly FieldGroup[];
  /** The fields of the provider with this name. */
  ofProvider: (name: string) => readonly Field[];
}

const leafSchema = v.looseObject({
  type: v.optional(v.string()),
  enum: v.optional(v.array(v.string())),
  description: v.optional(v.string(), ""),
  minimum: v.optional(v.number()),
  maximum: v.optional(v.number()),
  default: v.optional(v.unknown()),
  writeOnly: v.optional(v.boolean(), false),
});
const groupSchema = v.looseObject({ properties: v.record(v.string(), leafSchema) });
const documentSchema = v.looseObject({
  properties: v.looseObject({
    providers: v.looseObject({ additionalProperties: groupSchema }),
  }),
});

/** Texts that are written in sentences. */
const longTexts = new Set(["turn.system", "agents.prompt"]);

/** Reads the schema that `GET /api/settings/schema` answers. Throws where it is none of that kind. */
export function readForm(schema: unknown): Form {
  const { providers, ...properties } = v.parse(documentSchema, schema).properties;
  const entries = Object.entries(properties).filter(([name]) => name !== "$schema");
  const sections = entries.flatMap(([name, section]) => {
    const group = v.safeParse(groupSchema, section);
    return group.success ? [{ name, fields: fieldsIn([name], group.output.properties) }] : [];
  });
  const inSections = new Set(sections.map(({ name }) => name));
  const atTop = entries.filter(([name]) => !inSections.has(name));
  const first = { name: "sessions run on", fields: atTop.map(([name, leaf]) => fieldOf([name], leaf)) };
  const keys = providers.additionalProperties.properties;
  return { groups: [first, ...sections], ofProvider: (name) => fieldsIn(["providers", name], keys) };
}

function fieldsIn(path: readonly string[], leaves: Readonly<Record<string, unknown>>): Field[] {
  return Object.entries(leaves).map(([name, leaf]) => fieldOf([...path, name], leaf));
}

function fieldOf(path: readonly string[], schema: unknown): Field {
  const leaf = v.parse(leafSchema, schema);
  const name = path.join(".");
  const { text, said } = readDescription(leaf.description);
  return {
    name,
    path,
    label: path.at(-1) ?? "",
    kind: kindOf(name, leaf),
    description: text,
    class: said.get("Class") ?? "live",
    unit: said.get("Unit") ?? "",
    min: leaf.minimum,
    max: leaf.maximum,
    options: leaf.enum ?? [],
    default: leaf.default,
  };
}

function kindOf(name: string, leaf: v.InferOutput<typeof leafSchema>): FieldKind {
  if (leaf.writeOnly) return "secret";
  if (leaf.enum) return "choice";
  if (leaf.type === "integer") return "whole";
  if (leaf.type === "number") return "number";
  if (leaf.type === "array") return "list";
  return longTexts.has(name) ? "long text" : "text";
}

/** The schema says class and unit at the end of the description: other words would not be JSON Schema's. */
function readDescription(description: string): { text: string; said: ReadonlyMap<string, string> } {
  const said = [...description.matchAll(/ (Class|Unit): (\w+)\./g)];
  const end = said[0]?.index ?? description.length;
  return {
    text: description.slice(0, end),
    said: new Map(said.map(([, word = "", value = ""]) => [word, value])),
  };
}

import * as v from "valibot";

/**
 * When a change of a key takes effect. `live`: in force at once. `turn`: each session takes it at its next
 * boundary. `restart`: the daemon drains and restarts in process.
 */
export const changeClasses = ["live", "turn", "restart"] as const;
/** One of `changeClasses`. */
export type ChangeClass = (typeof changeClasses)[number];

/** What a whole number counts. */
export const units = ["ms", "days", "bytes", "tokens", "messages", "sessions", "turns", "attempts"] as const;
/** One of `units`. */
export type Unit = (typeof units)[number];

/** What the author of a key has to say about it; a key without a class does not compile. */
export type About = {
  class: ChangeClass;
  description: string;
  unit?: Unit;
  secret?: true;
  /** How the reference page writes the default, where the value itself would not tell. */
  shownDefault?: string;
};

/** What the metadata of each key holds: what its author said, and what its constructor knows. */
export const keyMetadata = v.strictObject({
  class: v.picklist(changeClasses),
  description: v.pipe(v.string(), v.nonEmpty()),
  unit: v.optional(v.picklist(units)),
  secret: v.optional(v.literal(true)),
  shownDefault: v.optional(v.string()),
  form: v.picklist(["whole number", "number", "text", "choice", "list"]),
  min: v.optional(v.number()),
  max: v.optional(v.number()),
  options: v.optional(v.array(v.string())),
});

/** A key as the table holds it: the schema of its value, made optional. */
export interface Key extends v.GenericSchema {
  readonly wrapped: v.GenericSchema;
}

/** A check that JSON Schema does not carry: editors would refuse references where it stands. */
interface Check {
  test: (text: string) => boolean;
  /** Completes "KEY …". */
  message: string;
}

const anyText: Check = { test: () => true, message: "" };

/** A whole number from `min` to `max`. */
export function whole(about: About & { default: number; min: number; max: number }) {
  const { default: initial, min, max } = about;
  const { default: _, ...said } = about;
  const schema = v.pipe(
    v.number("must be a whole number"),
    v.integer("must be a whole number"),
    v.minValue(min, `must be at least ${min}`),
    v.maxValue(max, `must be at most ${max}`),
    v.metadata({ ...said, form: "whole number" }),
  );
  return v.optional(schema, initial);
}

/** A number from `min` to `max`, unset where the file does not give it. */
export function optionalNumber(about: About & { min: number; max: number }) {
  const { min, max } = about;
  const schema = v.pipe(
    v.number("must be a number"),
    v.minValue(min, `must be at least ${min}`),
    v.maxValue(max, `must be at most ${max}`),
    v.metadata({ ...about, form: "number" }),
  );
  return v.optional(schema);
}

/** Text with a default. */
export function text(about: About & { default: string; check?: Check }) {
  const { default: initial, check, ...said } = about;
  return v.optional(textSchema(said, check), initial);
}

/** Text, unset where the file does not give it. */
export function optionalText(about: About & { check?: Check }) {
  const { check, ...said } = about;
  return v.optional(textSchema(said, check));
}

function textSchema(said: About, check: Check = anyText) {
  return v.pipe(
    v.string("must be text"),
    v.check(check.test, check.message),
    v.metadata({ ...said, form: "text" }),
  );
}

/** One of `options`. */
export function choice<const O extends readonly string[]>(about: About & { default: O[number]; options: O }) {
  const { default: initial, ...said } = about;
  return v.optional(choiceSchema(said), initial);
}

/** One of `options`, unset where the file does not give it. */
export function optionalChoice<const O extends readonly string[]>(about: About & { options: O }) {
  return v.optional(choiceSchema(about));
}

function choiceSchema<const O extends readonly string[]>({ options, ...said }: About & { options: O }) {
  const named = options.map((option) => JSON.stringify(option)).join(", ");
  return v.pipe(
    v.picklist(options, `must be one of ${named}`),
    v.metadata({ ...said, form: "choice", options: [...options] }),
  );
}

/** A list of texts. */
export function list(about: About & { default: readonly string[] }) {
  const { default: initial, ...said } = about;
  const schema = v.pipe(
    v.array(v.string("must be text"), "must be a list of texts"),
    v.metadata({ ...said, form: "list" }),
  );
  return v.optional(schema, () => [...initial]);
}

import * as v from "valibot";
import { SegueError } from "../core/errors.ts";
import type { Problem } from "../core/errors.ts";

/** Ids of sessions and messages (contract section 5). */
const idPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** Text as it can be kept: JSON can write half of a character, UTF-8 cannot. */
export const text = v.pipe(
  v.string("has to be text"),
  v.check(
    (given) => given.isWellFormed(),
    "has half of a character (a lone surrogate), which no UTF-8 text can hold",
  ),
);

/** Fields of a JSON object, no others; unlike `v.strictObject` it takes no list for one. */
export function fields<const T extends v.ObjectEntries>(entries: T) {
  return v.pipe(v.unknown(), v.check(isObject, "has to be an object"), v.strictObject(entries));
}

/** What a call takes that takes nothing: no body, or an object without a field. */
export const nothing = fields({});

/** What every object has by itself, and `v.record` therefore passes over: it would be lost without a word. */
const lostNames = ["__proto__", "constructor", "prototype"];

/** Values by name in a JSON object; unlike `v.record` it takes no list for one, and loses no name. */
export function byName<const T extends v.GenericSchema<unknown, unknown>>(
  name: v.GenericSchema<string, string>,
  value: T,
) {
  return v.pipe(
    v.unknown(),
    v.check(isObject, "has to be an object"),
    v.check(
      (given) => !lostNames.some((lost) => isObject(given) && Object.hasOwn(given, lost)),
      `cannot have a name that is ${lostNames.join(" or ")}`,
    ),
    v.record(name, value),
  );
}

function isObject(given: unknown): given is object {
  return typeof given === "object" && given !== null && !Array.isArray(given);
}

/** Problems of a value without the value: input is never echoed. */
export function problemsOf(issues: readonly v.BaseIssue<unknown>[]): Problem[] {
  return issues.map((issue) => ({ path: v.getDotPath(issue) ?? "", message: messageOf(issue) }));
}

/** valibot's own messages quote what was received; ours say what is wanted. */
function messageOf(issue: v.BaseIssue<unknown>): string {
  if (issue.type === "strict_object")
    return issue.expected === "never" ? "is not a field of this call" : "is missing";
  if (issue.kind === "schema") return `has to be ${issue.expected ?? "something else"}`;
  return issue.message;
}

/** The id in a path; throws `malformed` for one that no id can be. */
export function requireId(id: string): string {
  if (!idPattern.test(id))
    throw new SegueError(
      "malformed",
      "an id has 1 to 128 letters, digits and . _ : -, and begins with a letter or digit",
    );
  return id;
}

/** Throws `malformed` where what is asked for is no path: a request may come without a host, or as for a proxy. */
export function requireTarget({ url }: Request): void {
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return;
  throw new SegueError("malformed", "a request has to name its host, and ask for a path");
}

/** The query as an object of a shape; throws `malformed` with every problem. A name given twice counts once, the last. */
export function readQuery<T extends v.GenericSchema>(request: Request, schema: T): v.InferOutput<T> {
  const query = Object.fromEntries(new URL(request.url).searchParams);
  const result = v.safeParse(schema, query);
  if (!result.success)
    throw new SegueError("malformed", "the query is not one that this call takes", {
      problems: problemsOf(result.issues),
    });
  return result.output;
}

/** A whole number in a query. */
export function wholeNumber(min: number, max: number) {
  const message = `has to be a whole number from ${min} to ${max}`;
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,15}$/, message),
    v.transform(Number),
    v.minValue(min, message),
    v.maxValue(max, message),
    v.metadata({ range: [min, max] }),
  );
}

/** The query of every list. */
export const pageQuery = {
  limit: v.optional(wholeNumber(1, 1000), "100"),
  cursor: v.optional(v.string()),
};

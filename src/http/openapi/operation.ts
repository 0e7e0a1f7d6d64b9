import type * as v from "valibot";
import type { ErrorCode } from "../../core/errors.ts";
import { nothing } from "../validate.ts";

/** What a body holds: JSON of a shape, or what its media type says. */
export type Content = v.GenericSchema | "text" | "json";

/** A way in which a call is answered. */
export interface Answer {
  says: string;
  /** By media type; none where there is no body. */
  content?: Readonly<Record<string, Content>>;
  /** What headers say, by name. */
  headers?: Readonly<Record<string, string>>;
}

/** A call as the OpenAPI document tells of it. What it takes are the schemas by which the route itself judges. */
export interface Operation {
  summary: string;
  query?: v.StrictObjectSchema<v.ObjectEntries, undefined>;
  /** What request headers mean, by name; all may be left out. */
  headers?: Readonly<Record<string, string>>;
  /** By media type. */
  body?: Readonly<Record<string, Content>>;
  isBodyOptional?: true;
  /** By status. */
  answers: Readonly<Record<number, Answer>>;
  /** Refusals beside those that every such call has. */
  codes?: readonly ErrorCode[];
}

/** The calls of a resource, by path as the routes have it, and by method. */
export type Operations = Readonly<
  Record<string, Readonly<Partial<Record<"GET" | "POST" | "PATCH" | "PUT" | "DELETE", Operation>>>>
>;

/** An answer as JSON of a shape. */
export function json(says: string, shape: v.GenericSchema): Answer {
  return { says, content: { "application/json": shape } };
}

/** Of a call that takes nothing: no body, or an object without a field. */
export const takesNothing = {
  body: { "application/json": nothing },
  isBodyOptional: true,
} as const satisfies Partial<Operation>;

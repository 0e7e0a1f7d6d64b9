import { type JsonSchema, toJsonSchema, toJsonSchemaDefs } from "@valibot/to-json-schema";
import * as v from "valibot";
import { messageShape, planShape, problemShape, sessionShape, settingsStatusShape } from "../answers.ts";
import type { Content } from "./operation.ts";

/** Shapes that are named in the document. */
const named = {
  Message: messageShape,
  Session: sessionShape,
  Plan: planShape,
  Problem: problemShape,
  SettingsStatus: settingsStatusShape,
};

type Config = NonNullable<Parameters<typeof toJsonSchema>[1]>;

const config: Config = {
  target: "draft-2020-12",
  typeMode: "input",
  // What JSON Schema cannot say is left out; the route says it.
  errorMode: "ignore",
  ignoreActions: ["check", "transform"],
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  overrideSchema: ({ valibotSchema, jsonSchema }) =>
    valibotSchema.type === "custom" ? { type: "object" } : jsonSchema,
};

/** The named shapes as JSON Schema. */
export function namedSchemas(): Record<string, object> {
  return toJsonSchemaDefs(named, config);
}

/** What a body holds as a media type object of OpenAPI. */
export function mediaObject(content: Content): object {
  if (content === "text") return { schema: { type: "string" } };
  return content === "json" ? { schema: {} } : { schema: schemaOf(content) };
}

/** A shape as JSON Schema; named shapes are referred to. */
export function schemaOf(shape: v.GenericSchema): JsonSchema {
  const range = v.getMetadata(shape)["range"];
  if (Array.isArray(range)) return { type: "integer", minimum: Number(range[0]), maximum: Number(range[1]) };
  const {
    $schema: _draft,
    $defs: _named,
    ...schema
  } = toJsonSchema(judged(shape), {
    ...config,
    definitions: named,
  });
  return schema;
}

/**
 * What a shape comes to. Fields are judged twice, first whether there is an object and then which; of the two, JSON
 * Schema is made of the second.
 */
function judged(shape: v.GenericSchema): v.GenericSchema {
  if ("pipe" in shape && Array.isArray(shape.pipe) && shape.type === "unknown") {
    const last: unknown = shape.pipe.findLast((part: unknown) => isSchema(part));
    return isSchema(last) ? judged(last) : shape;
  }
  if ("entries" in shape && typeof shape.entries === "object" && shape.entries !== null) {
    const entries = Object.entries(shape.entries).map(([name, entry]) => [
      name,
      isSchema(entry) ? judged(entry) : entry,
    ]);
    return Object.assign({}, shape, { entries: Object.fromEntries(entries) });
  }
  return "wrapped" in shape && isSchema(shape.wrapped)
    ? Object.assign({}, shape, { wrapped: judged(shape.wrapped) })
    : shape;
}

function isSchema(part: unknown): part is v.GenericSchema {
  return (
    typeof part === "object" &&
    part !== null &&
    "kind" in part &&
    part.kind === "schema" &&
    // 1. The first part of a pipe is the shape itself without its pipe.
    !("type" in part && part.type === "unknown" && !("pipe" in part))
  );
}

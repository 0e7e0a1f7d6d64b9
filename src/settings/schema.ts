import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import type { ProviderKind } from "../providers/provider.ts";
import { keyMetadata } from "./key.ts";
import { providerKeys, providerName, rootKeys, sectionKeys } from "./table.ts";

/** An entry of `providers` as the file may give it. */
export const providerSchema = v.strictObject(providerKeys);

/** The whole file but `providers`, which is completed by kind and name. */
export const settingsSchema = v.strictObject({
  ...rootKeys,
  turn: v.optional(v.strictObject(sectionKeys.turn), {}),
  limits: v.optional(v.strictObject(sectionKeys.limits), {}),
  sessions: v.optional(v.strictObject(sectionKeys.sessions), {}),
  reload: v.optional(v.strictObject(sectionKeys.reload), {}),
  daemon: v.optional(v.strictObject(sectionKeys.daemon), {}),
  server: v.optional(v.strictObject(sectionKeys.server), {}),
  storage: v.optional(v.strictObject(sectionKeys.storage), {}),
  agents: v.optional(v.strictObject(sectionKeys.agents), {}),
  log: v.optional(v.strictObject(sectionKeys.log), {}),
});

/** The whole file, for editors. */
const fileSchema = v.strictObject({
  $schema: v.optional(v.pipe(v.string(), v.description("For editors; the program does not read it."))),
  ...settingsSchema.entries,
  providers: v.optional(
    v.pipe(
      v.record(v.pipe(v.string(), v.regex(providerName)), providerSchema),
      v.description("Named providers. `claude`, `gemini`, `openai`, `command`, `echo` exist undeclared."),
    ),
    {},
  ),
});

/** A provider with everything filled in that its settings leave to defaults, references resolved. */
export interface ProviderSettings {
  kind: ProviderKind;
  model: string;
  /** As written or the vendor's own, without user-info; undefined for `command`, `echo`. */
  baseUrl: string | undefined;
  /** `user:password` of the base URL, percent-decoded. Secret. */
  userInfo: string | undefined;
  /** Secret; undefined where no key is to be sent. */
  apiKey: string | undefined;
  maxOutputTokens: number;
  temperature: number | undefined;
  argv: readonly string[];
  delayMs: number;
  /**
   * Why the provider cannot be used as configured (no key for the vendor's own endpoint, empty argv, a reference
   * to the environment that does not resolve), as a sentence with the way out; undefined where it can. Always
   * undefined for the chosen provider: there it is a problem of the settings.
   */
  notReady: string | undefined;
}

/** The effective settings: every default filled in, every reference resolved. Holds secrets; not to be shown. */
export type Settings = v.InferOutput<typeof settingsSchema> & {
  /** By name; has no prototype, so a name that is not declared is never found. */
  providers: Readonly<Record<string, ProviderSettings>>;
};

/**
 * JSON Schema (2020-12) of the settings file, for editors. Of what a key's metadata holds it carries the
 * description, with class and unit said in it: other words would not be JSON Schema's.
 */
export function jsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = toJsonSchema(fileSchema, {
    target: "draft-2020-12",
    typeMode: "input",
    ignoreActions: ["check"],
    overrideAction: ({ valibotAction, jsonSchema: built }) =>
      valibotAction.type === "metadata" ? withoutMetadata(built) : undefined,
  });
  return { $schema, title: "Segue settings", ...schema };
}

function withoutMetadata(built: JsonSchema): JsonSchema {
  const entries = new Map(Object.entries(built));
  const said = [`Class: ${String(entries.get("class"))}.`];
  if (entries.has("unit")) said.push(`Unit: ${String(entries.get("unit"))}.`);
  if (entries.has("secret")) {
    said.push("Secret.");
    entries.set("writeOnly", true);
  }
  entries.set("description", `${String(entries.get("description"))} ${said.join(" ")}`);
  const kept = [...entries].filter(
    ([name]) => ["description", "writeOnly"].includes(name) || !(name in keyMetadata.entries),
  );
  return Object.fromEntries(kept);
}

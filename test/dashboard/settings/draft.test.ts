import { describe, expect, test } from "bun:test";
import {
  conflictsOf,
  type Draft,
  patchOf,
  readTyped,
  rebase,
  typedText,
  withEdit,
  withoutEdits,
} from "../../../src/dashboard/settings/draft.ts";
import { readForm } from "../../../src/dashboard/settings/fields.ts";
import { jsonSchema } from "../../../src/settings/schema.ts";

const shown = {
  provider: "echo",
  turn: { maxAttempts: 5, system: "" },
  providers: { local: { kind: "openai", model: "m", argv: [] } },
};
const none: Draft = new Map();
const form = readForm(JSON.parse(JSON.stringify(jsonSchema())));

function fieldNamed(name: string) {
  const all = [...form.groups.flatMap(({ fields }) => fields), ...form.ofProvider("local")];
  const found = all.find((field) => field.name === name);
  if (!found) throw new Error(`no field ${name}`);
  return found;
}

describe("what was typed and not saved", () => {
  test("is a merge patch of just that", () => {
    let draft = withEdit(none, shown, ["provider"], "local");
    draft = withEdit(draft, shown, ["turn", "maxAttempts"], 7);
    draft = withEdit(draft, shown, ["turn", "system"], null);
    expect(patchOf(draft)).toEqual({ provider: "local", turn: { maxAttempts: 7, system: null } });
  });

  test("a value typed back is no edit", () => {
    const draft = withEdit(none, shown, ["turn", "maxAttempts"], 7);
    expect(patchOf(withEdit(draft, shown, ["turn", "maxAttempts"], 5))).toEqual({});
  });

  test("a provider is added with its keys, and taken away whole", () => {
    let draft = withEdit(none, shown, ["providers", "new"], {});
    draft = withEdit(draft, shown, ["providers", "new", "kind"], "echo");
    draft = withEdit(draft, shown, ["providers", "local"], null);
    expect(patchOf(draft)).toEqual({ providers: { new: { kind: "echo" }, local: null } });
    expect(patchOf(withoutEdits(draft, ["providers", "new"]))).toEqual({ providers: { local: null } });
  });

  test("stays when the file changes underneath, and says where both changed the same", () => {
    let draft = withEdit(none, shown, ["turn", "maxAttempts"], 7);
    draft = withEdit(draft, shown, ["provider"], "local");
    const changed = { ...shown, turn: { ...shown.turn, maxAttempts: 9 } };
    expect(patchOf(rebase(draft, changed))).toEqual({ turn: { maxAttempts: 7 }, provider: "local" });
    expect(conflictsOf(draft, changed)).toEqual(["turn.maxAttempts"]);
    expect(patchOf(rebase(draft, { ...shown, provider: "local" }))).toEqual({ turn: { maxAttempts: 7 } });
  });
});

describe("what is typed into a field", () => {
  test.each([
    ["turn.maxAttempts", "7", { value: 7 }],
    ["turn.maxAttempts", "7.5", { problem: "has to be a whole number" }],
    ["turn.maxAttempts", "", { problem: "has to be a whole number" }],
    ["turn.maxAttempts", "0", { problem: "has to be at least 1" }],
    ["server.port", "65536", { problem: "has to be at most 65535" }],
    ["providers.local.temperature", "0.5", { value: 0.5 }],
    ["providers.local.temperature", "hot", { problem: "has to be a number" }],
    ["fallback", "one\n\n two\n", { value: ["one", " two"] }],
    ["turn.system", "Be brief.\n", { value: "Be brief.\n" }],
  ])("%s: %p", (name, text, typed) => {
    expect(readTyped(fieldNamed(name), text)).toEqual(typed);
  });

  test("is shown again as it was typed", () => {
    expect(typedText(["a", "b"])).toBe("a\nb");
    expect(typedText(7)).toBe("7");
    expect(typedText(null)).toBe("");
  });
});

describe("the form", () => {
  test("has a field for every key, by group, with class, unit and range", () => {
    expect(form.groups.map(({ name }) => name)).toEqual([
      "sessions run on",
      "turn",
      "limits",
      "sessions",
      "reload",
      "daemon",
      "server",
      "storage",
      "agents",
      "log",
    ]);
    expect(fieldNamed("turn.timeoutMs")).toMatchObject({ kind: "whole", class: "turn", unit: "ms", min: 1 });
    expect(fieldNamed("server.token")).toMatchObject({ kind: "secret", class: "live" });
    expect(fieldNamed("reload.guard")).toMatchObject({
      kind: "choice",
      options: ["endpoint", "any", "off"],
      default: "endpoint",
    });
    expect(fieldNamed("turn.maxAttempts").description).toBe("Counted attempts before a message is `failed`.");
    expect(fieldNamed("providers.local.argv")).toMatchObject({ kind: "list", class: "turn" });
  });
});

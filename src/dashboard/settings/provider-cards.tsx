import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useParts } from "../layout/parts.ts";
import { typedText, valueAt } from "./draft.ts";
import type { Field, Form } from "./fields.ts";
import { FieldRow } from "./field-row.tsx";

/** They exist without being declared (contract section 2). */
const undeclared = ["claude", "gemini", "openai", "command", "echo"];

/** Which kinds a key means nothing for; it is shown there only where the file has it. */
const useless: Readonly<Record<string, readonly string[]>> = {
  argv: ["claude", "gemini", "openai", "echo"],
  delayMs: ["claude", "gemini", "openai", "command"],
  baseUrl: ["command", "echo"],
  apiKey: ["command", "echo"],
  maxOutputTokens: ["command", "echo"],
  temperature: ["command", "echo"],
};

/** Names of the providers: in force, and added in the draft. */
export function providerNames(settings: unknown, added: Iterable<readonly string[]>): string[] {
  const present = valueAt(settings, ["providers"]);
  const names = typeof present === "object" && present !== null ? Object.keys(present) : [];
  const drafted = [...added].flatMap(([group, name]) =>
    group === "providers" && name !== undefined ? [name] : [],
  );
  return [...new Set([...names, ...drafted])];
}

/** The named providers, to be changed, added and taken away. */
export function ProviderCards({ form }: { form: Form }): JSX.Element {
  const { desk, copies } = useParts();
  const paths = [...desk.draft.value.values()].map(({ path }) => path);
  const names = providerNames(copies.settings.value.value?.settings, paths);
  return (
    <section class="group" id="group-providers" aria-labelledby="heading-providers">
      <h2 id="heading-providers">providers</h2>
      <div>
        {names.map((name) => (
          <ProviderCard key={name} name={name} fields={form.ofProvider(name)} />
        ))}
        <AddProvider names={names} />
      </div>
    </section>
  );
}

function ProviderCard({ name, fields }: { name: string; fields: readonly Field[] }): JSX.Element {
  const { desk, copies } = useParts();
  const shown = copies.settings.value.value;
  const path = ["providers", name];
  const isChosen = desk.valueOf(["provider"]) === name;
  const isRemoved = desk.draft.value.get(path.join("."))?.value === null;
  const isInFile = fields.some((field) => shown?.sources[field.name]?.source === "file");
  const isNew = valueAt(shown?.settings, path) === undefined;
  const isOpen = useSignal(isChosen || isNew);
  const kind = typedText(desk.valueOf([...path, "kind"]) ?? name);
  const shownFields = fields.filter((field) => {
    const isUseless = useless[field.label]?.includes(kind) ?? false;
    return !isUseless || shown?.sources[field.name]?.source === "file";
  });
  return (
    <details
      class="card provider"
      open={isOpen.value}
      onToggle={(event) => (isOpen.value = event.currentTarget.open)}
    >
      <summary>
        <strong>{name}</strong>
        <span class="muted">
          {kind} {typedText(desk.valueOf([...path, "model"]))}
        </span>
        {isChosen && <span class="pill good">in use</span>}
        {isNew && <span class="pill wait">new</span>}
        {isRemoved && <span class="pill bad">will be removed</span>}
      </summary>
      {!isRemoved && shownFields.map((field) => <FieldRow key={field.name} field={field} />)}
      <p class="actions">
        {(isNew || isRemoved) && (
          <button type="button" onClick={() => desk.undo(path)}>
            {isNew ? `Do not add ${name}` : `Keep ${name}`}
          </button>
        )}
        {isInFile && !isRemoved && (
          <button type="button" class="danger" onClick={() => desk.put(path, null)}>
            {undeclared.includes(name) ? `Reset ${name} to its defaults` : `Remove ${name}`}
          </button>
        )}
      </p>
    </details>
  );
}

/** A name and a kind make a provider; the rest is typed into its card. */
function AddProvider({ names }: { names: readonly string[] }): JSX.Element {
  const { desk } = useParts();
  const name = useSignal("");
  const kind = useSignal("openai");
  const refusal = useSignal("");
  const add = (event: Event): void => {
    event.preventDefault();
    const wanted = name.value.trim();
    refusal.value =
      wanted === ""
        ? "A provider needs a name."
        : names.includes(wanted)
          ? "There is a provider of this name."
          : "";
    if (refusal.value !== "") return;
    desk.put(["providers", wanted, "kind"], kind.value);
    name.value = "";
  };
  return (
    <form class="card add-provider" onSubmit={add}>
      <label for="new-provider-name">Add a provider</label>
      <input
        id="new-provider-name"
        type="text"
        placeholder="name"
        autocomplete="off"
        spellcheck={false}
        value={name.value}
        aria-describedby="new-provider-refusal"
        onInput={(event) => (name.value = event.currentTarget.value)}
      />
      <label class="hidden" for="new-provider-kind">
        Kind of the new provider
      </label>
      <select
        id="new-provider-kind"
        value={kind.value}
        onChange={(event) => (kind.value = event.currentTarget.value)}
      >
        {["openai", "claude", "gemini", "command", "echo"].map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
      <button type="submit">Add</button>
      <p id="new-provider-refusal" class="refusal" role="alert">
        {refusal.value}
      </p>
    </form>
  );
}

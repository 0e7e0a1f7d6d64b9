import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useParts } from "../layout/parts.ts";
import { DraftBar } from "./draft-bar.tsx";
import { FieldRow } from "./field-row.tsx";
import type { Field, FieldGroup, Form } from "./fields.ts";
import { ProviderCards, providerNames } from "./provider-cards.tsx";

/** The settings as a form made from their schema, group by group. */
export function SettingsForm({ form }: { form: Form }): JSX.Element {
  const search = useSignal("");
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const isFound = ({ name, description }: Field): boolean =>
    words.every((word) => `${name} ${description}`.toLowerCase().includes(word));
  const groups = form.groups
    .map((group) => ({ ...group, fields: group.fields.filter(isFound) }))
    .filter(({ fields }) => fields.length > 0);
  const [first, ...rest] = groups;
  return (
    <>
      <p class="search">
        <label for="find-setting">Find a setting</label>
        <input
          id="find-setting"
          type="search"
          value={search.value}
          onInput={(event) => (search.value = event.currentTarget.value)}
        />
      </p>
      {first && <Group group={first} />}
      {words.length === 0 && <ProviderCards form={form} />}
      {rest.map((group) => (
        <Group key={group.name} group={group} />
      ))}
      <DraftBar />
    </>
  );
}

function Group({ group }: { group: FieldGroup }): JSX.Element {
  const { desk, copies } = useParts();
  const paths = [...desk.draft.value.values()].map(({ path }) => path);
  const providers = providerNames(copies.settings.value.value?.settings, paths);
  const id = `group-${group.name.replaceAll(" ", "-")}`;
  return (
    <section class="group" id={id} aria-labelledby={`${id}-heading`}>
      <h2 id={`${id}-heading`}>{group.name}</h2>
      <div class="card">
        {group.fields.map((field) => (
          <FieldRow key={field.name} field={field} {...(field.name === "provider" && { names: providers })} />
        ))}
      </div>
    </section>
  );
}

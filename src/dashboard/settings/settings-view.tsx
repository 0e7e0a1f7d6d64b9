import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useAction } from "../layout/action.ts";
import { useCopy, useParts } from "../layout/parts.ts";
import { linkTo } from "../layout/route.ts";
import { type Form, readForm } from "./fields.ts";
import { SettingsFileView } from "./settings-file-view.tsx";
import { SettingsForm } from "./settings-form.tsx";
import { SettingsHistory } from "./settings-history.tsx";
import { WaitingEdit } from "./waiting-edit.tsx";

const tabs: readonly { name: string; label: string }[] = [
  { name: "", label: "Form" },
  { name: "file", label: "File" },
  { name: "history", label: "History" },
];

/** The settings: as a form, as the file, and as they were. `rest` is what follows in the address. */
export function SettingsView({ rest }: { rest: readonly string[] }): JSX.Element {
  const { copies } = useParts();
  const shown = useCopy(copies.settings);
  const [tab = ""] = rest;
  return (
    <>
      <header class="view-head">
        <h1>Settings</h1>
        {shown && <code class="muted">{shown.path}</code>}
        <nav class="tabs" aria-label="Parts of the settings">
          {tabs.map(({ name, label }) => (
            <a
              key={name}
              href={name === "" ? linkTo("settings") : linkTo("settings", name)}
              aria-current={tab === name ? "page" : undefined}
            >
              {label}
            </a>
          ))}
        </nav>
      </header>
      <WaitingEdit />
      <Tab name={tab} />
    </>
  );
}

function Tab({ name }: { name: string }): JSX.Element {
  if (name === "file") return <SettingsFileView />;
  if (name === "history") return <SettingsHistory />;
  return <FormOfSchema />;
}

/** The schema is of the program: it is asked for once. */
function FormOfSchema(): JSX.Element {
  const { api, copies } = useParts();
  const form = useSignal<Form | undefined>(undefined);
  const { refusal, run } = useAction();
  useEffect(() => {
    void run(async () => {
      form.value = readForm(await api.get("api/settings/schema"));
    });
  }, [api]);
  if (refusal.value !== "") return <p class="refusal">{refusal.value}</p>;
  if (!form.value || !copies.settings.value.value) return <p class="muted">Reading the settings…</p>;
  return <SettingsForm form={form.value} />;
}

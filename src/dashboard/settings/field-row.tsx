import type { JSX } from "preact";
import { useParts } from "../layout/parts.ts";
import { classText } from "../words/plan-text.ts";
import { typedText, valueAt } from "./draft.ts";
import type { Field } from "./fields.ts";
import { Marked } from "./marked.tsx";

/** One setting: what it is, where its value comes from, and a field to change it. */
export function FieldRow({ field, names }: { field: Field; names?: readonly string[] }): JSX.Element {
  const { desk, copies } = useParts();
  const shown = copies.settings.value.value;
  const problem = desk.problemOf(field.name);
  const isEdited = desk.draft.value.has(field.name);
  const id = `field-${field.name}`;
  const isLocked = isLockedWithoutToken(field) && valueAt(shown?.settings, ["server", "token"]) === undefined;
  return (
    <div class="field" data-edited={isEdited || undefined}>
      <label for={id}>
        <span class="hidden">{field.name.slice(0, -field.label.length)}</span>
        {field.label}
      </label>
      <div>
        <Input field={field} id={id} isLocked={isLocked} isWrong={problem !== undefined} names={names} />
        <p id={`${id}-note`} class="muted field-note">
          <Marked text={field.description} /> {defaultText(field)}Takes effect {classText(field.class)}.
          {isLocked && " Only on this machine, or with a token: "}
          {isLocked && <code>segue set {field.name} …</code>}
        </p>
        {problem !== undefined && (
          <p class="refusal" role="alert">
            {field.name} {problem}
          </p>
        )}
        {desk.isConflict(field.name) && (
          <p class="caution">
            Somebody else changed it meanwhile; in force is <code>{inForceText(field, shown?.settings)}</code>
            .
          </p>
        )}
      </div>
      <Origin field={field} isEdited={isEdited} />
    </div>
  );
}

/** Where the value comes from, and the ways back. */
function Origin({ field, isEdited }: { field: Field; isEdited: boolean }): JSX.Element {
  const { desk, copies } = useParts();
  const source = copies.settings.value.value?.sources[field.name];
  const isInFile = source?.source === "file";
  return (
    <div class="origin">
      {source && source.source !== "default" && (
        <span class={`pill ${source.source === "flag" ? "wait" : "quiet"}`}>
          {source.source === "flag" ? "beaten by a flag" : `from the ${source.source}`}
        </span>
      )}
      {source?.resolved === false && <span class="pill bad">does not resolve</span>}
      {isEdited && (
        <button
          type="button"
          class="small"
          aria-label={`Undo ${field.name}`}
          onClick={() => desk.undo(field.path)}
        >
          Undo
        </button>
      )}
      {isInFile && !isEdited && (
        <button
          type="button"
          class="small"
          aria-label={`Default for ${field.name}`}
          onClick={() => desk.put(field.path, null)}
        >
          {field.kind === "secret" ? "Remove" : "Default"}
        </button>
      )}
    </div>
  );
}

interface InputProps {
  field: Field;
  id: string;
  isLocked: boolean;
  isWrong: boolean;
  /** Values that are offered. */
  names?: readonly string[] | undefined;
}

function Input({ field, id, isLocked, isWrong, names }: InputProps): JSX.Element {
  const { desk } = useParts();
  const common: Common = {
    id,
    disabled: isLocked,
    "aria-describedby": `${id}-note`,
    "aria-invalid": isWrong,
  };
  const type = (event: { currentTarget: { value: string } }): void =>
    desk.type(field, event.currentTarget.value);
  const text = desk.textOf(field);
  const options = names ?? field.options;
  if (field.kind === "choice" || names) {
    return (
      <select {...common} value={text} onChange={type}>
        {!options.includes(text) && <option value={text}>{text === "" ? "default" : text}</option>}
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    );
  }
  if (field.kind === "secret") return <SecretInput field={field} common={common} onType={type} />;
  if (field.kind === "list" || field.kind === "long text") {
    const rows = Math.min(12, Math.max(2, text.split("\n").length));
    return (
      <textarea
        {...common}
        rows={rows}
        value={text}
        placeholder={field.kind === "list" ? "one a line" : ""}
        onInput={type}
      />
    );
  }
  const isNumber = field.kind === "whole" || field.kind === "number";
  return (
    <span class="with-unit">
      <input
        {...common}
        type="text"
        inputMode={isNumber ? "decimal" : "text"}
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={type}
      />
      {field.unit !== "" && <span class="muted">{field.unit}</span>}
    </span>
  );
}

/** What every kind of input is given. */
interface Common {
  id: string;
  disabled: boolean;
  "aria-describedby": string;
  "aria-invalid": boolean;
}

/** A secret goes in and never comes out: what stands in the field is only what was typed into it just now. */
function SecretInput(props: {
  field: Field;
  common: Common;
  onType: (event: { currentTarget: { value: string } }) => void;
}): JSX.Element {
  const { field, common, onType } = props;
  const { desk, copies } = useParts();
  const inForce = valueAt(copies.settings.value.value?.settings, field.path);
  const edit = desk.draft.value.get(field.name);
  const isSet = typeof inForce === "string" && inForce !== "";
  const isReference = isSet && !inForce.includes("•");
  const standing =
    edit?.value === null ? "will be removed" : isReference ? inForce : isSet ? "set" : "not set";
  return (
    <input
      {...common}
      type="password"
      autocomplete="new-password"
      value={typeof edit?.value === "string" ? edit.value : ""}
      placeholder={`${standing}; type to replace it`}
      onInput={onType}
    />
  );
}

/** What could make the daemon run a program, carry a key elsewhere or move (contract section 5, "Access"). */
function isLockedWithoutToken({ name }: Field): boolean {
  return /^providers\..+\.(argv|baseUrl)$|^server\./s.test(name);
}

function defaultText({ default: initial }: Field): string {
  const text = typedText(initial).replaceAll("\n", ", ");
  return text === "" || text.length > 60 ? "" : `Default: ${text}. `;
}

function inForceText(field: Field, settings: unknown): string {
  const text = typedText(valueAt(settings, field.path));
  return text === "" ? "unset" : text;
}

import { type SettingsKey, settingsKeys } from "./keys.ts";

const head = ["| key | default | class | meaning |", "|---|---|---|---|"];

/** The table of all settings in Markdown, one row a key, for the page of settings. */
export function settingsTable(): string {
  return [...head, ...settingsKeys().map(row), ""].join("\n");
}

function row(key: SettingsKey): string {
  const name = `\`${key.key}\``;
  const takesEffect = key.secret ? `${key.class}, secret` : key.class;
  return `| ${[name, cell(defaultOf(key)), takesEffect, cell(meaningOf(key))].join(" | ")} |`;
}

function defaultOf({ shownDefault, unit }: SettingsKey): string {
  return unit === undefined ? shownDefault : `${shownDefault} ${unit}`;
}

function meaningOf({ description, options }: SettingsKey): string {
  return options ? `${options.map((option) => `\`${option}\``).join(", ")}. ${description}` : description;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

import type { RecentEvent } from "../live/recent-events.ts";
import { thingsText } from "./count-text.ts";
import { blockWords, reasonWords, restartWords } from "./state-words.ts";

/** What an event holds, as text; empty for what it does not. */
type Told = (name: string) => string;

/** A line about each type of event that has more to say than its name: what happened, and to what. */
const lines: Readonly<Record<string, (told: Told) => string>> = {
  "settings.changed": (told) => `Revision ${told("revision")} is in force: ${told("changedKeys")}`,
  "settings.planned": () => "An edit is good, and planned",
  "settings.rejected": () => "The settings file is not valid; the last good revision stays",
  "settings.recovered": () => "The settings file is good again",
  "settings.held": (told) => `${binding(told)} is held: ${reasonWords(told("reason"))}`,
  "settings.released": (told) => `${binding(told)} is held no more`,
  "session.waiting": (told) => `${told("session")} waits: ${reasonWords(told("for"))}`,
  "session.restarted": (told) => `${told("session")} moved: ${wordOf(restartWords, told("reason"))}`,
  "session.restart_deferred": (told) =>
    `${told("session")} moves later: ${wordOf(blockWords, told("blockedBy"))}`,
  "session.recovered": (told) => `${told("session")} was started again: ${told("cause")}`,
  "session.rolled_over": (told) => `${told("session")} begins context ${told("epoch")}`,
  "rollout.started": (told) => `A rollout of revision ${told("revision")} began: ${sessions(told("total"))}`,
  "rollout.progressed": (told) => `${told("done")} of ${sessions(told("total"))} moved`,
  "rollout.finished": (told) => `The rollout of revision ${told("revision")} is finished`,
  "rollout.superseded": () => "A newer revision took the rollout's place",
  "provider.parked": (told) => `${told("provider")} is parked: ${reasonWords(told("reason"))}`,
  "provider.ready": (told) => `${told("provider")} is ready again`,
  "budget.reached": (told) => `The tokens of the day are used up: ${told("used")} of ${told("limit")}`,
  "daemon.draining": (told) => `The daemon drains: ${told("reason")}`,
  "daemon.restarted": (told) => `The daemon restarted and serves at ${told("url")}`,
  "daemon.restart_failed": (told) => `The daemon could not restart and carries on: ${told("reason")}`,
  "message.requeued": (told) => `${told("session")}: message ${told("seq")} was put back, ${told("reason")}`,
};

/** A line about an event. */
export function eventText({ type, data }: RecentEvent): string {
  const told: Told = (name) => shown(data[name]);
  return lines[type]?.(told) ?? plainText(type, told);
}

/** `message.done` of a session's seventh message: `notes: message done 7`. */
function plainText(type: string, told: Told): string {
  const name = type.replace(".", " ").replaceAll("_", " ");
  return [told("session"), [name, told("seq")].filter(Boolean).join(" ")].filter(Boolean).join(": ");
}

function binding(told: Told): string {
  return `${told("provider")} ${told("model")}`;
}

function sessions(count: string): string {
  return thingsText(Number(count), "session");
}

function wordOf(words: Readonly<Record<string, string>>, name: string): string {
  return words[name] ?? name;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(shown).join(", ");
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

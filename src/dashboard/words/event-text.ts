import type { RecentEvent } from "../live/recent-events.ts";

/** A line about an event: what happened, and to what. */
export function eventText({ type, data }: RecentEvent): string {
  const text = (name: string): string => shown(data[name]);
  const subject = subjectOf(data);
  switch (type) {
    case "settings.changed":
      return `Revision ${text("revision")} is in force: ${text("changedKeys")}`;
    case "settings.rejected":
      return "The settings file is not valid; the last good revision stays";
    case "settings.recovered":
      return "The settings file is good again";
    case "settings.planned":
      return "An edit waits to be applied";
    case "settings.held":
      return `${text("provider")} ${text("model")} is held: ${text("reason")}`;
    case "session.waiting":
      return `${subject} waits: ${text("for")}`;
    case "session.restarted":
      return `${subject} restarted: ${text("reason")}`;
    case "rollout.started":
      return `A rollout of revision ${text("revision")} began: ${text("total")} sessions`;
    case "rollout.progressed":
      return `Rollout: ${text("done")} of ${text("total")}`;
    case "provider.parked":
      return `${text("provider")} is parked: ${text("reason")}`;
    case "daemon.draining":
      return `The daemon drains: ${text("reason")}`;
    case "daemon.restarted":
      return `The daemon restarted and serves at ${text("url")}`;
    case "message.failed":
      return `${subject}: message ${text("seq")} failed`;
    case "message.requeued":
      return `${subject}: message ${text("seq")} was put back: ${text("reason")}`;
    default:
      return `${subject === "" ? "" : `${subject}: `}${plainName(type)}${data["seq"] === undefined ? "" : ` ${text("seq")}`}`;
  }
}

/** `message.done` as "message done". */
function plainName(type: string): string {
  return type.replace(".", " ").replaceAll("_", " ");
}

function subjectOf(data: RecentEvent["data"]): string {
  return shown(data["session"] ?? data["provider"]);
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(shown).join(", ");
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

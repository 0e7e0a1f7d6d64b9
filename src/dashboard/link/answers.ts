import type * as v from "valibot";
import type {
  activityShape,
  daemonShape,
  memoryShape,
  revisionShape,
  settingsFileShape,
  settingsShape,
  settingsStatusShape,
  statsShape,
  transcriptShape,
} from "../../http/answers.ts";

/** A page of a list; `next` is null at its end. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

/** What the daemon says of itself. */
export type DaemonInfo = v.InferOutput<typeof daemonShape>;
/** Where the settings stand. */
export type SettingsStatus = v.InferOutput<typeof settingsStatusShape>;
/** Figures of now. */
export type Stats = v.InferOutput<typeof statsShape>;
/** An accepted state of the settings. */
export type Revision = v.InferOutput<typeof revisionShape>;
/** The settings in force, with where each comes from. */
export type SettingsInForce = v.InferOutput<typeof settingsShape>;

export type { ShownMessage, ShownSession } from "../../http/answers.ts";
/** The settings file as it stands. */
export type SettingsFile = v.InferOutput<typeof settingsFileShape>;
/** What happened in the last hour. */
export type Activity = v.InferOutput<typeof activityShape>;
/** A summary of a coding agent's work. */
export type Memory = v.InferOutput<typeof memoryShape>;
/** What was said in a session. */
export type Transcript = v.InferOutput<typeof transcriptShape>;
/** Something that was said in a session. */
export type TranscriptEntry = Transcript["entries"][number];

import { SegueError, type Problem } from "../core/errors.ts";
import type { Plan, RevisionSource } from "../core/events.ts";
import { type Edit, type EditedFile, type EditResult, editSettings } from "./edit.ts";
import type { Acceptable, InForce } from "./in-force.ts";
import type { Reading, ReadResult } from "./read.ts";
import { type SettingsSource, hashOf } from "./source.ts";

/** How an edit is asked for. */
export interface EditOptions {
  /** The edit is made only on top of one of these revisions; null: on top of any. */
  ifMatch: readonly number[] | null;
  /** Only say what it would change. */
  isDryRun: boolean;
}

/** What an edit by API is answered with. */
export interface EditAnswer {
  /** The revision in force. */
  revision: number;
  plan: Plan;
  /** See `EditResult`. */
  kept: string[];
}

/** What the keeper lends to an edit; nothing else changes the settings while it is under way. */
export interface EditGround {
  readonly path: string;
  /** Replaces the file; see `replaceFile`. */
  replace(bytes: Uint8Array, expected: string | null): Promise<boolean>;
  inForce(): InForce;
  /** What is wrong with the file as it was looked at last. */
  problems(): readonly Problem[];
  /** Whether an edit by hand waits to be applied. */
  isWaiting(): boolean;
  /** Reads the file, and in `auto` puts what is new in it in force first; answers what was read. */
  look(): Promise<SettingsSource>;
  read(bytes: Uint8Array): ReadResult;
  /** The bytes of the last good settings. */
  lastGood(): Promise<Uint8Array | undefined>;
  planOf(reading: Reading): Plan;
  /** Puts what was just written in force. */
  adopt(acceptable: Acceptable): Promise<Plan>;
}

/** As often an edit is made anew because somebody else changed the file meanwhile. */
const mostAttempts = 5;

/**
 * Edits the settings file in place and puts it in force. What somebody else writes meanwhile is never overwritten: the
 * edit is made anew on top of it. Throws `revision_conflict`, `settings_file_invalid`, `edits_waiting`,
 * `settings_invalid` or `settings_not_writable`, and has then changed nothing.
 */
export async function editInForce(edit: Edit, options: EditOptions, ground: EditGround): Promise<EditAnswer> {
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const source = await ground.look();
    requireMatch(options.ifMatch, ground.inForce().revision);
    requireEditable(edit, source, ground);
    const result = editSettings(await basisOf(edit, source, ground), edit, (bytes) => ground.read(bytes));
    if (options.isDryRun) {
      const { revision } = ground.inForce();
      return { revision, plan: ground.planOf(result.reading), kept: result.kept };
    }
    const expected = source.kind === "file" ? source.hash : null;
    const isSame = hashOf(result.bytes) === expected;
    if (isSame || (await ground.replace(result.bytes, expected)))
      return adopt(result, edit.kind === "rollback" ? "rollback" : "api", ground);
  }
  throw new SegueError("edits_waiting", `${ground.path} is being changed by another program all the time`, {
    hint: "try again when it is done",
  });
}

async function adopt(result: EditResult, source: RevisionSource, ground: EditGround): Promise<EditAnswer> {
  const { bytes, reading, kept } = result;
  const file = { bytes, hash: hashOf(bytes), modifiedAt: null };
  const plan = await ground.adopt({ reading, file, source });
  return { revision: ground.inForce().revision, plan, kept };
}

/** An earlier text may come back over a file that is bad or gone; its secrets are then those of the last good one. */
async function basisOf(edit: Edit, source: SettingsSource, ground: EditGround): Promise<EditedFile> {
  const { reading } = ground.inForce();
  if (edit.kind === "rollback" && ground.problems().length > 0)
    return { bytes: (await ground.lastGood()) ?? null, reading };
  return { bytes: source.kind === "file" ? source.bytes : null, reading };
}

function requireMatch(ifMatch: readonly number[] | null, revision: number): void {
  if (ifMatch && !ifMatch.includes(revision))
    throw new SegueError("revision_conflict", `the settings are at revision ${revision} by now`, {
      hint: "read them again and make the edit on top of them",
    });
}

function requireEditable(edit: Edit, source: SettingsSource, ground: EditGround): void {
  const isRepair = edit.kind === "rollback" && source.kind !== "unreadable";
  if (ground.problems().length > 0 && !isRepair)
    throw new SegueError("settings_file_invalid", `${ground.path} is not valid as it stands`, {
      hint: "correct it first, or go back to an earlier revision with `segue rollback REVISION`",
      problems: ground.problems(),
    });
  if (ground.isWaiting())
    throw new SegueError("edits_waiting", `an edit of ${ground.path} waits to be applied`, {
      hint: "put it in force with `segue apply`, or take it back, and try again",
    });
}

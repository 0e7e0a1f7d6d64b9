import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Cancel, Clock } from "../../core/clock.ts";
import type { Problem } from "../../core/errors.ts";
import type { Plan } from "../../core/events.ts";
import type { SettingsInForce } from "../link/answers.ts";
import { type Api, ApiError } from "../link/api.ts";
import type { LiveCopy } from "../live/live-copy.ts";
import {
  conflictsOf,
  type Draft,
  patchOf,
  readTyped,
  rebase,
  typedText,
  valueAt,
  withEdit,
  withoutEdits,
} from "./draft.ts";
import type { Field } from "./fields.ts";

/** What keeps a draft from being saved: in words, and field by field. */
export interface Refusal {
  message: string;
  problems: readonly Problem[];
}

/** How long nothing is typed before the daemon is asked what the draft would do. */
const quietMs = 250;

/**
 * What was typed into the settings and not saved yet, on top of what is in force. It lives as long as the page: neither
 * another view nor a file that changes underneath loses any of it. What it would do is asked from the daemon after each
 * pause in typing; only `save` changes anything.
 */
export class SettingsDesk {
  /** What the daemon says the draft would do; undefined while nobody knows. */
  readonly plan: Signal<Plan | undefined> = signal(undefined);
  readonly refusal: Signal<Refusal | undefined> = signal(undefined);
  readonly isSaving: Signal<boolean> = signal(false);
  /** The revision that the last save made. */
  readonly saved: Signal<number | undefined> = signal(undefined);
  /** The revision that came underneath while something was typed; undefined where none did. */
  readonly underneath: Signal<number | undefined> = signal(undefined);
  readonly #draft: Signal<Draft> = signal(new Map());
  /** What stands in the fields that were typed into, by dotted name: also what is no value yet. */
  readonly #texts: Signal<ReadonlyMap<string, string>> = signal(new Map());
  readonly #wrong: Signal<ReadonlyMap<string, string>> = signal(new Map());
  readonly #api: Api;
  readonly #clock: Clock;
  readonly #settings: LiveCopy<SettingsInForce>;
  /** The revision that the draft is on top of. */
  #basis: number | undefined;
  /** The revision that a save made and that is not shown yet. */
  #made: number | undefined;
  #cancelPlan: Cancel = () => {};
  /** Counts the questions to the daemon: an answer that is not to the last one is dropped. */
  #asked = 0;

  constructor(parts: { api: Api; clock: Clock; settings: LiveCopy<SettingsInForce> }) {
    this.#api = parts.api;
    this.#clock = parts.clock;
    this.#settings = parts.settings;
    effect(() => {
      const shown = parts.settings.value.value;
      if (shown) this.#follow(shown);
    });
  }

  /** Whether anything was typed that is not saved. */
  readonly isDirty: ReadonlySignal<boolean> = computed(
    () => this.#draft.value.size > 0 || this.#wrong.value.size > 0,
  );

  /** What was typed, as a merge patch is made of it. */
  get draft(): ReadonlySignal<Draft> {
    return this.#draft;
  }

  /** What is wrong with a field: what was typed is no value, or the daemon does not take it. */
  problemOf(name: string): string | undefined {
    const refused = this.refusal.value?.problems.find(({ path }) => path === name);
    return this.#wrong.value.get(name) ?? refused?.message;
  }

  /** Whether somebody else changed a value that was typed over here. */
  isConflict(name: string): boolean {
    const shown = this.#settings.value.value;
    return shown !== undefined && conflictsOf(this.#draft.value, shown.settings).includes(name);
  }

  /** What stands in a field: what was typed, else what is in force. */
  textOf(field: Field): string {
    return this.#texts.value.get(field.name) ?? typedText(this.valueOf(field.path));
  }

  /** The value at a path with the draft on top; null where the default is to come back. */
  valueOf(path: readonly string[]): unknown {
    const edit = this.#draft.value.get(path.join("."));
    return edit ? edit.value : valueAt(this.#settings.value.value?.settings, path);
  }

  /** Somebody types into a field. */
  type(field: Field, text: string): void {
    this.#texts.value = new Map(this.#texts.value).set(field.name, text);
    const typed = readTyped(field, text);
    const wrong = new Map(this.#wrong.value);
    if ("problem" in typed) wrong.set(field.name, typed.problem);
    else wrong.delete(field.name);
    this.#wrong.value = wrong;
    if ("value" in typed) this.put(field.path, typed.value);
  }

  /** Puts a value at a path; null for the default, or to take a provider away. */
  put(path: readonly string[], value: unknown): void {
    const shown = this.#settings.value.peek();
    if (!shown) return;
    this.saved.value = undefined;
    this.#basis ??= shown.revision;
    this.#draft.value = withEdit(this.#draft.value, shown.settings, path, value);
    this.#askSoon();
  }

  /** Forgets what was typed at a path and below. */
  undo(path: readonly string[]): void {
    const name = path.join(".");
    const keeps = (key: string): boolean => key !== name && !key.startsWith(`${name}.`);
    this.#texts.value = new Map([...this.#texts.value].filter(([key]) => keeps(key)));
    this.#wrong.value = new Map([...this.#wrong.value].filter(([key]) => keeps(key)));
    this.#draft.value = withoutEdits(this.#draft.value, path);
    this.#askSoon();
  }

  /** Forgets all that was typed. */
  discard(): void {
    this.#forget();
    this.refusal.value = undefined;
    this.plan.value = undefined;
  }

  /** Writes the draft into the file; it is in force when this resolves, or the refusal is told. */
  async save(): Promise<void> {
    const shown = this.#settings.value.peek();
    if (!shown || this.isSaving.peek() || this.#wrong.peek().size > 0) return;
    this.isSaving.value = true;
    this.#cancelPlan();
    this.#asked += 1;
    const sending = { body: patchOf(this.#draft.peek()), headers: { "If-Match": `"${shown.revision}"` } };
    try {
      const { revision } = await this.#api.send<{ revision: number }>("PATCH", "api/settings", sending);
      this.#made = revision;
    } catch (thrown) {
      this.isSaving.value = false;
      this.refusal.value = refusalOf(thrown);
    }
    const latest = this.#settings.value.peek();
    if (latest) this.#follow(latest);
    this.#settings.touch();
  }

  /** The settings in force are others now, or may be. */
  #follow(shown: SettingsInForce): void {
    if (this.isSaving.peek()) this.#finish(shown);
    else this.#rebase(shown);
  }

  /** The save is done, and what is shown as in force is what it made: until then the draft stands in for it. */
  #finish(shown: SettingsInForce): void {
    if (this.#made === undefined || shown.revision < this.#made) return;
    this.saved.value = this.#made;
    this.#made = undefined;
    this.isSaving.value = false;
    this.discard();
  }

  #forget(): void {
    this.#cancelPlan();
    this.#asked += 1;
    this.#draft.value = new Map();
    this.#texts.value = new Map();
    this.#wrong.value = new Map();
    this.#basis = undefined;
    this.underneath.value = undefined;
  }

  /** The settings are others now: what was typed stays on top of them. */
  #rebase(shown: SettingsInForce): void {
    const before = this.#draft.peek();
    if (before.size === 0 || this.#basis === shown.revision) return;
    this.#basis = shown.revision;
    this.#draft.value = rebase(before, shown.settings);
    if (this.#draft.peek().size === 0) this.#forget();
    else this.underneath.value = shown.revision;
    this.#askSoon();
  }

  #askSoon(): void {
    this.#cancelPlan();
    this.#asked += 1;
    this.plan.value = undefined;
    this.refusal.value = undefined;
    if (this.#draft.peek().size === 0) return;
    this.#cancelPlan = this.#clock.after(quietMs, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    const asked = this.#asked;
    const body = patchOf(this.#draft.peek());
    try {
      const { plan } = await this.#api.send<{ plan: Plan }>("PATCH", "api/settings?dryRun=1", { body });
      if (asked === this.#asked) this.plan.value = plan;
    } catch (thrown) {
      if (asked === this.#asked) this.refusal.value = refusalOf(thrown);
    }
  }
}

function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof ApiError) return { message: thrown.message, problems: thrown.problems };
  return { message: "the answer could not be read", problems: [] };
}

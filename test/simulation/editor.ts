import { parse } from "jsonc-parser";
import type { Chance } from "./chance.ts";
import type { Document } from "./history.ts";
import { badText, firstDocument, isDocument, merged, someChange, textOf } from "./settings-texts.ts";
import { Breach, keyPath, settingsPath, type World } from "./world.ts";

const keyReference = "file:first.key";

/** Whoever edits settings.json by hand, and watches what the daemon makes of it. */
export class Editor {
  /** What the file says, references as they are written; the last good one where it says nothing. */
  raw: Document = firstDocument;
  readonly #world: World;
  #isMine = false;
  /** Whether the file says what `raw` says. */
  #isWhole = true;
  /** What stood in the file last, and whether a process has read it since. */
  #text: string | undefined;
  /** What was put there last by hand, and what was saved since as it stood there. */
  #byHand = new Set<string | undefined>();
  #isRead = true;
  #isReadable = true;

  constructor(world: World) {
    this.#world = world;
    world.onWritten = () => this.#notice();
    world.onExchange = () => this.save(someChange(world.chance), world.chance);
    world.disk.onRead = (path) => {
      if (path === settingsPath) this.#isRead = true;
    };
  }

  /** Brings a life's first settings into the world. */
  begin(seed: number): void {
    this.#mine(() => this.#world.disk.replace(settingsPath, JSON.stringify(this.raw)));
    this.#world.see({ kind: "born", seed, document: this.raw });
    this.#putKey("key-of-first");
  }

  /** What the file means: with what its references lead to; undefined where one leads nowhere. */
  get meaning(): Document | undefined {
    return this.#meaningOf(this.raw);
  }

  /** Saves a good edit. */
  save(change: Document, chance: Chance): void {
    this.raw = merged(this.raw, change);
    this.#write(textOf(this.raw, chance), chance.happens(0.3) ? "in place" : "rename");
  }

  /** Makes a mess of the file. */
  spoil(chance: Chance): void {
    const { disk } = this.#world;
    const luck = chance.below(8);
    if (luck === 0) {
      this.#mine(() => disk.remove(settingsPath));
      this.#tell("deleted", undefined);
    } else if (luck === 1) {
      this.#isReadable = false;
      this.#mine(() => disk.chmod(settingsPath, 0o200));
      this.#tell("unreadable", undefined);
    } else {
      const { how, text } = badText(this.raw, chance);
      this.#mine(() => disk.overwrite(settingsPath, text));
      this.#tell(how, text);
    }
  }

  /** Saves as an editor does that writes in place: half of it first. The rest comes `afterMs` later. */
  saveSlowly(change: Document, afterMs: number, chance: Chance): void {
    const text = textOf(merged(this.raw, change), chance);
    const half = text.slice(0, text.length >> 1);
    this.#mine(() => this.#world.disk.overwrite(settingsPath, half));
    this.#tell("half-written", half);
    this.#world.scheduler.after(afterMs, () => this.save(change, chance));
  }

  /** Saves what is there already. */
  touch(): void {
    const text = this.#world.disk.textOf(settingsPath);
    if (text === undefined) return;
    this.#mine(() => this.#world.disk.overwrite(settingsPath, text));
  }

  /** Lets the key of the first provider come from a file, or changes what stands in that. */
  keyFile(chance: Chance): void {
    const luck = chance.below(4);
    if (luck === 0) return this.save({ providers: { first: { apiKey: keyReference } } }, chance);
    this.#putKey(luck === 1 ? undefined : chance.pick(["key-of-first", "newer-of-first", "wrong-key"]));
    if (JSON.stringify(this.raw).includes(keyReference) && this.#isWhole) this.#tell("in place", undefined);
  }

  /** Says whether the daemon may write the file. */
  protect(isReadOnly: boolean): void {
    const mode = (this.#isReadable ? 0o400 : 0) | (isReadOnly ? 0 : 0o200);
    this.#mine(() => this.#world.disk.chmod(settingsPath, mode));
  }

  /** Brings the file back to what it said first. */
  repair(): void {
    this.#putKey("key-of-first");
    this.raw = firstDocument;
    this.#write(JSON.stringify(this.raw), "rename");
  }

  #putKey(value: string | undefined): void {
    const { disk } = this.#world;
    this.#mine(() => (value === undefined ? disk.remove(keyPath) : disk.replace(keyPath, `${value}\n`)));
    this.#world.see({ kind: "reference", reference: keyReference, value });
  }

  #write(text: string, how: "in place" | "rename"): void {
    const { disk } = this.#world;
    this.#isReadable = true;
    this.#mine(() =>
      how === "rename" ? disk.replace(settingsPath, text) : disk.overwrite(settingsPath, text),
    );
    // 1. What was made unreadable stays so where the same file gets another content.
    if (how === "in place") this.#mine(() => disk.chmod(settingsPath, 0o600));
    this.#tell(how, text);
  }

  /** Tells what the file means from now on. */
  #tell(
    how: "rename" | "in place" | "deleted" | "half-written" | "invalid" | "unreadable",
    text: string | undefined,
  ): void {
    const isMeant = how === "rename" || how === "in place";
    this.#isWhole = isMeant;
    const document = isMeant ? this.meaning : undefined;
    this.#world.see({ kind: "edit", how, document, isGood: document !== undefined, text });
  }

  #mine(work: () => void): void {
    this.#isMine = true;
    work();
    this.#isMine = false;
    const text = this.#world.disk.textOf(settingsPath);
    // 1. Whoever saves what stands there changes nothing that could be lost.
    if (text === this.#text) return void this.#byHand.add(text);
    this.#isRead = false;
    this.#text = text;
    this.#byHand = new Set([text]);
  }

  /** The file has changed: by the daemon, where it was not by us. */
  #notice(): void {
    if (this.#isMine) return;
    const text = this.#world.disk.textOf(settingsPath);
    this.#expectRead();
    this.#text = text;
    const raw: unknown = text === undefined ? undefined : parse(text.replace(/^\uFEFF/, ""));
    if (!isDocument(raw) || text === undefined) return;
    this.raw = raw;
    this.#isWhole = true;
    this.#world.see({ kind: "written", document: this.#meaningOf(raw), text });
  }

  /** What was in the file before: a write of the daemon's replaces nothing that it has not read. */
  #expectRead(): void {
    const wasRead = this.#isRead;
    this.#isRead = true;
    if (wasRead || this.#text === undefined) return;
    const { process } = this.#world;
    // 1. What it puts back at once is not lost; whoever is killed in between can put nothing back.
    queueMicrotask(() => {
      if (this.#world.process !== process) return;
      if (!this.#byHand.has(this.#world.disk.textOf(settingsPath)))
        this.#world.breakWith(new Breach("an edit by hand is not overwritten", [...this.#byHand].join("\n")));
    });
  }

  #meaningOf(raw: Document): Document | undefined {
    const text = JSON.stringify(raw);
    if (!text.includes(keyReference)) return raw;
    const key = this.#world.disk.textOf(keyPath)?.trim();
    return key === undefined ? undefined : JSON.parse(text.replaceAll(keyReference, key));
  }
}

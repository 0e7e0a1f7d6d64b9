import { eventually } from "../support/eventually.ts";
import { startSegue, type Segue } from "../support/segue.ts";
import { dealtMessages, sessions } from "./conversations.ts";
import { EventTape } from "./event-tape.ts";
import { Poster } from "./poster.ts";
import { saveSettings } from "./settings-file.ts";
import { readStoredMessages, type StoredMessages } from "./stored-messages.ts";
import { Vendors, type Asked } from "./vendors.ts";

/** A kill, what stood at that moment, and the edit that came with it. */
export interface Kill {
  done: number;
  inFlight: number;
  /** Ids of the messages that had been answered 2xx. */
  accepted: string[];
  /** What the data folder held between the kill and the next start. */
  stored: StoredMessages;
  edit: Asked;
  /** `before` the kill: too late for the daemon that was killed. */
  edited: "before" | "after";
  savedAt: number;
  /** When the edit was known to be in force. */
  inForceAt: number;
  /** Id of its `settings.changed`. */
  changedId: number;
}

/** So many messages of a session may wait, that posts go on during the whole run. */
const usualAllowance = 15;
/** Right before a kill so many may, that it comes while messages are being posted. */
const burstAllowance = 25;

/** Messages on their way through a daemon that is killed and started again on the same data folder. */
export class InterruptedRun {
  readonly dealt = dealtMessages();
  readonly posters: Poster[];
  readonly tape = new EventTape();
  readonly vendors: Vendors;
  #segue: Segue;
  #serving: Promise<Segue>;
  #allowance = usualAllowance;
  #edits = 0;
  #savedAt = 0;

  private constructor(vendors: Vendors, segue: Segue) {
    this.vendors = vendors;
    this.#segue = segue;
    this.#serving = Promise.resolve(segue);
    this.posters = sessions.map((session) => new Poster(session, () => this.#serving));
  }

  /** A daemon that asks `first`. */
  static async start(first: Asked): Promise<InterruptedRun> {
    const vendors = await Vendors.start({ firstTokenMs: 8, tokensPerSecond: 400 });
    const segue = await startSegue({ settings: vendors.settings(first) });
    const run = new InterruptedRun(vendors, segue);
    await run.tape.follow(segue);
    return run;
  }

  /** The daemon that runs now. */
  get segue(): Segue {
    return this.#segue;
  }

  get total(): number {
    return [...this.dealt.values()].flat().length;
  }

  /** Resolves when every message has been accepted. */
  async post(): Promise<void> {
    await Promise.all(
      this.posters.map((poster, at) => {
        const session = sessions[at] ?? "";
        return poster.post(this.dealt.get(session) ?? [], () =>
          this.#untilAllowed(session, poster.accepted.length),
        );
      }),
    );
  }

  /** Resolves when so many messages are done. */
  async untilDone(count: number): Promise<void> {
    await this.tape.until(`${count} messages are done`, () => this.#done() >= count);
  }

  /** Kills when so many messages are done and others are being posted; starts again, with an edit before or after. */
  async killAt(count: number, edit: Asked, edited: "before" | "after"): Promise<Kill> {
    await this.untilDone(count);
    const posted = this.#accepted().length;
    this.#allowance = burstAllowance;
    await eventually("more messages are posted", () => this.#accepted().length > posted);
    const next = Promise.withResolvers<Segue>();
    if (edited === "before") this.#save(edit);
    const [done, inFlight] = [this.#done(), this.#inFlight()];
    this.#serving = next.promise;
    await this.#segue.kill();
    await this.tape.ended();
    const [accepted, stored] = [this.#accepted(), readStoredMessages(this.#segue.dataDir)];
    this.#segue = await this.#segue.restart();
    await this.tape.follow(this.#segue);
    this.#allowance = usualAllowance;
    next.resolve(this.#segue);
    if (edited === "after") this.#save(edit);
    const inForce = await this.#untilInForce();
    return { done, inFlight, accepted, stored, edit, edited, savedAt: this.#savedAt, ...inForce };
  }

  /** Stops the daemon and the vendors; answers how the daemon ended. */
  async stop(): Promise<{ exitCode: number | null; signal: string | null }> {
    const ending = await this.#segue.stop();
    await this.tape.ended();
    await this.vendors.stop();
    return ending;
  }

  #save(edit: Asked): void {
    this.#savedAt = Date.now();
    saveSettings(this.#segue.settingsPath, this.vendors.settings(edit), "replaced by a rename");
    this.#edits += 1;
  }

  async #untilInForce(): Promise<{ inForceAt: number; changedId: number }> {
    const revision = this.#edits + 1;
    const changed = await this.tape.until(`revision ${revision} is in force`, () =>
      this.tape.all("settings.changed").find((event) => event.data["revision"] === revision),
    );
    return { inForceAt: changed.receivedAt, changedId: changed.id ?? Number.NaN };
  }

  #accepted(): string[] {
    return this.posters.flatMap((poster) => poster.accepted.map(({ id }) => id));
  }

  #done(): number {
    return this.tape.all("message.done").length;
  }

  #inFlight(): number {
    return this.tape.all("message.started").length - this.#done() - this.tape.all("message.requeued").length;
  }

  async #untilAllowed(session: string, accepted: number): Promise<void> {
    const done = (): number =>
      this.tape.all("message.done").filter((event) => event.data["session"] === session).length;
    await eventually(`room for a message of ${session}`, () => accepted - done() < this.#allowance, 60_000);
  }
}

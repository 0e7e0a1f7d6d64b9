import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SegueError } from "../core/errors.ts";
import {
  messageAnswer,
  pageAnswer,
  settingsStatusAnswer,
  statsAnswer,
  type MessageAnswer,
  type SettingsStatusAnswer,
} from "./answers.ts";
import { ChildDaemon } from "./child-daemon.ts";
import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { findFaults, stretchesOf, type PostedMessage } from "./tour-account.ts";
import { readTold, type ToldByEvents } from "./tour-events.ts";

const sessions = ["kitchen", "garden", "workshop"];
const remarks = [
  "The kettle is on.",
  "Water the tomatoes before noon, please.",
  "Which drawer has the 4 mm key?",
  "Zwölf Schrauben, drei Dübel, ein Plan.",
  "お茶にしましょう。",
];
/** Long enough that both edits and the kill come while there is work to do. */
const delayMs = 60;
const pollMs = 20;
const stepLimitMs = 60_000;

/**
 * `segue tour`: a daemon on a temporary folder, sixty messages, two edits of its settings and one kill. Tells who
 * answered what, checked from the daemon's answers; 0 where nothing was lost, else 1 and what was.
 */
export async function tour(context: CommandContext): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "segue-tour-"));
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const guided = new Tour(context, folder, interruption.signal);
  try {
    return await guided.run();
  } catch (thrown) {
    if (interruption.signal.aborted) return 130;
    throw thrown;
  } finally {
    await guided.end();
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    rmSync(folder, { recursive: true, force: true });
  }
}

class Tour {
  readonly #context: CommandContext;
  readonly #interrupted: AbortSignal;
  readonly #settings: string;
  readonly #data: string;
  readonly #client: DaemonClient;
  readonly #posted: PostedMessage[] = [];
  #daemon: ChildDaemon | undefined;

  constructor(context: CommandContext, folder: string, interrupted: AbortSignal) {
    this.#context = context;
    this.#interrupted = interrupted;
    this.#settings = join(folder, "settings.json");
    this.#data = join(folder, "data");
    this.#client = new DaemonClient({ kind: "socket", path: join(this.#data, "segue.sock") });
  }

  async run(): Promise<number> {
    writeFileSync(this.#settings, settingsText("first"));
    this.#say(
      "",
      "Three sessions, sixty messages, two providers that need no network: first and second.",
      "",
    );
    await this.#start("started");
    await this.#post(8);
    await this.#untilTurns(9);
    await this.#edit("second", "replaced by a rename", (text) => {
      writeFileSync(`${this.#settings}.new`, text);
      renameSync(`${this.#settings}.new`, this.#settings);
    });
    await this.#post(6);
    await this.#untilTurns((await this.#turns()) + 9);
    await this.#edit("first", "written in place", (text) => writeFileSync(this.#settings, text));
    await this.#post(6);
    await this.#untilTurns((await this.#turns()) + 6);
    await this.#kill();
    await this.#start("restarted");
    await this.#untilTurns(this.#posted.length);
    return this.#account();
  }

  /** Ends the daemon, whatever state the tour is in. */
  async end(): Promise<void> {
    await this.#daemon?.stop();
  }

  async #start(step: string): Promise<void> {
    const { clock, env } = this.#context;
    const from = clock.now();
    this.#daemon = await ChildDaemon.start({ settings: this.#settings, data: this.#data, env, clock });
    this.#step(step, `process ${this.#daemon.pid ?? "?"}, serving after ${clock.now() - from} ms`);
  }

  /** Posts `rounds` messages to each session; every one is accepted before the next is sent. */
  async #post(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      for (const session of sessions) {
        const content = `${session} ${this.#posted.length + 1}: ${remarks[this.#posted.length % remarks.length]}`;
        const path = `/api/sessions/${session}/messages`;
        const { value } = await this.#client.post(path, messageAnswer, { body: { content } });
        this.#posted.push({ id: value.id, session, content });
      }
    }
    this.#step("posted", `${rounds * sessions.length} messages, ${this.#posted.length} in all`);
  }

  async #edit(provider: string, manner: string, write: (text: string) => void): Promise<void> {
    const { clock } = this.#context;
    const before = (await this.#status()).revision;
    const from = clock.now();
    write(settingsText(provider));
    await this.#until(
      `the edit to "${provider}" is in force`,
      async () => (await this.#status()).revision > before,
    );
    this.#step("edited", `settings.json ${manner}: "${provider}" in force after ${clock.now() - from} ms`);
  }

  async #kill(): Promise<void> {
    const stats = (await this.#client.get("/api/stats", statsAnswer)).value;
    await this.#daemon?.kill();
    this.#step(
      "killed",
      `with kill -9, ${stats.turns} messages answered and ${this.#posted.length - stats.turns} not`,
    );
  }

  async #status(): Promise<SettingsStatusAnswer> {
    return (await this.#client.get("/api/settings/status", settingsStatusAnswer)).value;
  }

  async #turns(): Promise<number> {
    return (await this.#client.get("/api/stats", statsAnswer)).value.turns;
  }

  #untilTurns(count: number): Promise<void> {
    const enough = Math.min(count, this.#posted.length);
    return this.#until(`${enough} messages are answered`, async () => (await this.#turns()) >= enough);
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const { clock } = this.#context;
    const deadline = clock.now() + stepLimitMs;
    while (!(await isSo())) {
      if (this.#interrupted.aborted) throw new SegueError("internal", "The tour was interrupted.");
      if (clock.now() > deadline) {
        throw new SegueError("internal", `The tour waited ${stepLimitMs / 1000} s in vain until ${what}.`);
      }
      await clock.sleep(pollMs, this.#interrupted);
    }
  }

  async #account(): Promise<number> {
    const found = (await Promise.all(sessions.map((session) => this.#messages(session)))).flat();
    const told = await this.#told();
    const faults = findFaults({ posted: this.#posted, found, ...told });
    const done = found.filter((message) => message.status === "done").length;
    this.#say("", "Who answered what:");
    for (const session of sessions) this.#step(session, stretchesOf(found, session).join(", "));
    this.#say(
      "",
      `${this.#posted.length} messages accepted, ${done} answered; ${told.resumed} were in flight at the kill and were taken up again.`,
    );
    if (faults.length === 0) {
      this.#say(
        "Each was answered exactly once and in order; no edit interrupted a turn, and none began under",
      );
      this.#say("settings already replaced. Nothing was lost.", "");
    }
    if (this.#context.flags.json) {
      const { resumed } = told;
      this.#context.screen.answer(JSON.stringify({ accepted: this.#posted.length, done, resumed, faults }));
    }
    this.#context.screen.note(...faults);
    return faults.length === 0 ? 0 : 1;
  }

  async #told(): Promise<ToldByEvents> {
    const limit = new AbortController();
    const cancel = this.#context.clock.after(stepLimitMs, () => limit.abort());
    try {
      const signal = AbortSignal.any([limit.signal, this.#interrupted]);
      return await readTold(this.#client, this.#posted.length, signal);
    } finally {
      cancel();
    }
  }

  async #messages(session: string): Promise<MessageAnswer[]> {
    return (await this.#client.get(`/api/sessions/${session}/messages?limit=1000`, pageAnswer(messageAnswer)))
      .value.items;
  }

  #step(name: string, text: string): void {
    const { screen } = this.#context;
    this.#say(`  ${screen.style("bold", name.padEnd(10))} ${text}`);
  }

  #say(...lines: string[]): void {
    if (!this.#context.flags.json) this.#context.screen.answer(...lines);
  }
}

function settingsText(provider: string): string {
  const echo = (model: string) => ({ kind: "echo", model, delayMs });
  return `${JSON.stringify(
    {
      provider,
      providers: { first: echo("first-model"), second: echo("second-model") },
      reload: { debounceMs: 100 },
      server: { port: 0 },
    },
    undefined,
    2,
  )}\n`;
}

import type { Provider, ProviderConfig, TurnPart, TurnRequest } from "../../src/providers/provider.ts";
import { type Script, type Server, scriptFor } from "./call-script.ts";
import type { Chance } from "./chance.ts";
import type { ScriptedEnd, Sight } from "./history.ts";
import { never, type SimulatedProcess } from "./process.ts";

/** What servers need of the world around them. */
export interface ServersParts {
  servers: readonly Server[];
  chance: () => Chance;
  see: (sight: Sight) => void;
  /** A timer of the world. */
  after: (ms: number, task: () => void) => void;
}

/** What the code of a vendor consists of, at most: so many files are read one after the other. */
const mostFilesOfVendor = 30;
/** So long it takes at most, from a disk that others are busy with. */
const slowestLoadMs = 3000;
/** Something arrives this often from a server that says nothing. */
const babbleMs = 5000;

/** All servers that may be called, with every call in flight. */
export class Servers {
  readonly #parts: ServersParts;
  readonly #calls = new Set<Call>();
  #last = 0;

  constructor(parts: ServersParts) {
    this.#parts = parts;
  }

  /** Calls that a daemon waits for. */
  get inFlight(): number {
    return this.#calls.size;
  }

  /** Makes providers for one process. */
  createFor(process: SimulatedProcess): (config: ProviderConfig) => Promise<Provider> {
    process.atDeath(() => {
      for (const call of this.#calls) if (call.process === process) call.lose();
    });
    return async (config) => {
      // Every so often the code of a vendor has to be loaded first.
      const chance = this.#parts.chance();
      const files = chance.happens(0.2) ? 1 + chance.below(mostFilesOfVendor) : 0;
      for (let file = 0; file < files; file++) await process.outside(() => {});
      if (chance.happens(0.1)) await this.#loadSlowly(process, config.kind, 1 + chance.below(slowestLoadMs));
      return { call: (request) => this.#call(process, config, request) };
    };
  }

  async #loadSlowly(process: SimulatedProcess, kind: string, ms: number): Promise<void> {
    if (process.isDead) await never;
    this.#parts.see({ kind: "fault", fault: "code slow", phase: "begins", detail: kind });
    await process.sleep(ms);
    this.#parts.see({ kind: "fault", fault: "code slow", phase: "ends", detail: kind });
  }

  async *#call(
    process: SimulatedProcess,
    config: ProviderConfig,
    request: TurnRequest,
  ): AsyncGenerator<TurnPart> {
    if (process.isDead) await never;
    process.pass();
    const server = this.#parts.servers.find(({ endpoint }) => endpoint === config.endpoint);
    const number = ++this.#last;
    const { kind: provider, endpoint, key = null, model } = config;
    const { session, system, turns, content } = request;
    const asked = { session, system, turns: turns.map((turn) => ({ ...turn })), content };
    this.#parts.see({
      kind: "call",
      call: number,
      boot: process.boot,
      provider,
      endpoint,
      key,
      model,
      ...asked,
    });
    const script = scriptFor(server, config, request, this.#parts.chance());
    const call: Call = new Call(number, {
      process,
      script,
      request,
      world: this.#parts,
      // Some servers say which key it was that they refused.
      said: key === null ? "" : ` (key ${key})`,
      onOver: () => this.#calls.delete(call),
    });
    this.#calls.add(call);
    call.begin();
    yield* call.parts();
  }
}

/** One call: what it will do is settled from the beginning, and comes as time goes on. */
class Call {
  readonly process: SimulatedProcess;
  readonly #number: number;
  readonly #script: Script;
  readonly #request: TurnRequest;
  readonly #world: ServersParts;
  readonly #onOver: () => void;
  readonly #said: string;
  #queue: (TurnPart | "over")[] = [];
  #wake: () => void = () => {};
  #isOver = false;

  constructor(
    number: number,
    parts: {
      process: SimulatedProcess;
      script: Script;
      request: TurnRequest;
      world: ServersParts;
      said: string;
      onOver: () => void;
    },
  ) {
    this.process = parts.process;
    this.#number = number;
    this.#script = parts.script;
    this.#request = parts.request;
    this.#world = parts.world;
    this.#onOver = parts.onOver;
    this.#said = parts.said;
  }

  begin(): void {
    this.#request.signal.addEventListener("abort", () => this.#abort(), { once: true });
    let afterMs = 0;
    for (const piece of this.#script.pieces) {
      afterMs += piece.afterMs;
      this.#at(afterMs, () => this.#say(piece.text));
    }
    const { end, endAfterMs, babbles } = this.#script;
    if (end) this.#at(afterMs + endAfterMs, () => this.#end(end));
    if (babbles) this.#babble();
  }

  /** What comes, as it comes. */
  async *parts(): AsyncGenerator<TurnPart> {
    for (;;) {
      const part = this.#queue.shift();
      if (part === "over") return;
      if (part) yield part;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  /** The process that made it was killed. */
  lose(): void {
    if (this.#isOver) return;
    this.#close();
    this.#world.see({ kind: "callLost", call: this.#number });
  }

  #at(ms: number, task: () => void): void {
    this.#world.after(ms, () => {
      if (!this.#isOver) task();
    });
  }

  #babble(): void {
    this.#at(babbleMs, () => {
      this.#world.see({ kind: "chunk", call: this.#number, text: "" });
      this.#request.onActivity();
      this.#babble();
    });
  }

  #say(text: string): void {
    this.#world.see({ kind: "chunk", call: this.#number, text });
    this.#give({ type: "text", text });
  }

  #end(end: ScriptedEnd): void {
    this.#close();
    this.#world.see({ kind: "callEnded", call: this.#number, end });
    const part = partOf(end, this.#request, this.#said);
    if (part) this.#give(part);
    this.#give("over");
  }

  #abort(): void {
    if (this.#isOver) return;
    const ignoring = this.#script.ignoresAbort && this.#script.end !== undefined;
    if (!ignoring) this.#close();
    this.#world.see({ kind: "callAborted", call: this.#number, ignoring });
    if (!ignoring) this.#give("over");
  }

  #close(): void {
    this.#isOver = true;
    this.#onOver();
  }

  #give(part: TurnPart | "over"): void {
    this.#request.onActivity();
    this.#queue.push(part);
    this.#wake();
  }
}

function partOf(end: ScriptedEnd, { content }: TurnRequest, said: string): TurnPart | undefined {
  switch (end.kind) {
    case "answered":
      return { type: "end", finish: end.finish, usage: end.usage };
    case "empty":
      return { type: "end", finish: "stop", usage: { inputTokens: 5, outputTokens: 0 } };
    case "cut":
      return undefined;
    case "refused": {
      const { failure: kind, status, retryAfterMs } = end;
      const message = `refused as ${kind}: ${content.slice(0, 12)}${said}`;
      return {
        type: "failed",
        failure: {
          kind,
          message,
          ...(status !== null && { status }),
          ...(retryAfterMs !== null && { retryAfterMs }),
        },
      };
    }
  }
}

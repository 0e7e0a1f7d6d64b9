import { readdir } from "node:fs/promises";
import { Counter, Gauge, Histogram, Registry } from "./prometheus.ts";
import type { EventListener, StoredEvent } from "../core/events.ts";
import { sessionStates } from "./answers.ts";
import { stateName } from "./representation.ts";
import type { Services } from "./services.ts";
import { TurnMeter } from "./turn-meter.ts";

/** What happens to messages, by the event that tells of it. */
const statuses = new Map<StoredEvent["type"], string>([
  ["message.accepted", "accepted"],
  ["message.done", "done"],
  ["message.failed", "failed"],
  ["message.cancelled", "cancelled"],
]);
/** From an echo to a turn that uses all of `turn.maxDurationMs`. */
const turnSeconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000];

/** Figures in Prometheus' text format; what is counted is counted from the start of the process. */
export class Metrics implements EventListener {
  readonly #registry = new Registry();
  readonly #meter = new TurnMeter();
  readonly #messages = this.#counter("segue_messages_total", "Messages accepted, and ended, by status.", [
    "status",
  ]);
  readonly #turns = this.#counter("segue_turns_total", "Turns that ended, by how they did.", [
    "provider",
    "outcome",
  ]);
  readonly #tokens = this.#counter("segue_tokens_total", "Tokens of turns that ended well.", [
    "provider",
    "direction",
  ]);
  readonly #restarts = this.#counter(
    "segue_restarts_total",
    "Generators of sessions that were replaced.",
    [],
  );
  readonly #dropped = this.#counter(
    "segue_events_dropped_total",
    "Events not sent to readers that were too slow for them.",
    [],
  );
  readonly #agentEvents = this.#counter(
    "segue_agent_events_total",
    "Events of coding agents that are counted and become no message.",
    ["event"],
  );
  readonly #cpu = this.#counter("process_cpu_seconds_total", "CPU time of the process.", []);
  readonly #durations = new Histogram({
    name: "segue_turn_duration_seconds",
    help: "How long turns took, however they ended.",
    buckets: turnSeconds,
    registers: [this.#registry],
  });
  readonly #gauges = {
    revision: this.#gauge("segue_settings_revision", "The revision of the settings in force.", []),
    isReloaded: this.#gauge(
      "segue_settings_last_reload_successful",
      "1 where the settings file as it is now is in force, 0 where it has problems.",
      [],
    ),
    reloadedAt: this.#gauge(
      "segue_settings_last_reload_success_timestamp_seconds",
      "When the revision in force was applied.",
      [],
    ),
    sessions: this.#gauge("segue_sessions", "Sessions by state.", ["state"]),
    pending: this.#gauge("segue_pending_messages", "Messages that wait for a turn.", []),
    oldest: this.#gauge(
      "segue_oldest_pending_seconds",
      "Age of the oldest message that waits for a turn.",
      [],
    ),
    inFlight: this.#gauge("segue_turns_in_flight", "Turns in flight.", ["provider"]),
    parked: this.#gauge("segue_provider_parked", "1 where an endpoint or model of the provider is parked.", [
      "provider",
    ]),
    memory: this.#gauge("process_resident_memory_bytes", "Resident memory of the process.", []),
    startedAt: this.#gauge("process_start_time_seconds", "When the process was started.", []),
    files: this.#gauge("process_open_fds", "Open file descriptors of the process.", []),
  };

  constructor() {
    for (const status of statuses.values()) this.#messages.inc({ status }, 0);
  }

  /** The media type of what `scrape` answers. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  stored(events: readonly StoredEvent[]): void {
    for (const event of events) {
      const status = statuses.get(event.type);
      if (status !== undefined) this.#messages.inc({ status });
      if (event.type === "session.restarted") this.#restarts.inc();
      this.#count(event);
    }
  }

  delta(): void {
    // A piece of a reply is no figure.
  }

  /** The figures of now as text. */
  async scrape(services: Services): Promise<string> {
    this.#setSettings(services);
    await this.#setSessions(services);
    this.#setProviders(services);
    await this.#setAgents(services);
    await this.#setProcess(services);
    this.#dropped.reset();
    this.#dropped.inc(services.streams.dropped);
    return this.#registry.metrics();
  }

  #count(event: StoredEvent): void {
    const turn = this.#meter.observe(event);
    if (!turn) return;
    const { provider, outcome, seconds, usage } = turn;
    this.#turns.inc({ provider, outcome });
    this.#durations.observe(seconds);
    if (!usage) return;
    this.#tokens.inc({ provider, direction: "input" }, usage.inputTokens);
    this.#tokens.inc({ provider, direction: "output" }, usage.outputTokens);
  }

  #setSettings({ settings }: Services): void {
    const { revision, appliedAt } = settings.inForce();
    this.#gauges.revision.set(revision);
    this.#gauges.isReloaded.set(settings.problems().length === 0 ? 1 : 0);
    this.#gauges.reloadedAt.set(appliedAt / 1000);
  }

  async #setSessions({ store, core, clock }: Services): Promise<void> {
    const totals = await store.totals();
    const { registry } = core();
    const counts = new Map<string, number>(sessionStates.map((state) => [state, 0]));
    for (const session of registry.loaded()) {
      const state = stateName(session);
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    counts.set("unloaded", Math.max(0, (await store.sessions.count()) - registry.size));
    for (const [state, count] of counts) this.#gauges.sessions.set({ state }, count);
    this.#gauges.pending.set(totals.pending);
    const { oldestPendingAt } = totals;
    this.#gauges.oldest.set(oldestPendingAt === null ? 0 : Math.max(0, clock.now() - oldestPendingAt) / 1000);
  }

  #setProviders({ settings, core }: Services): void {
    const { gate } = core();
    const parked = new Set(gate.parks().map(({ provider }) => provider));
    // 1. A provider that is in the settings no more is no more in the figures.
    this.#gauges.inFlight.reset();
    this.#gauges.parked.reset();
    for (const provider of Object.keys(settings.inForce().settings.providers)) {
      this.#gauges.inFlight.set({ provider }, gate.inFlight(provider));
      this.#gauges.parked.set({ provider }, parked.has(provider) ? 1 : 0);
    }
  }

  async #setAgents({ store }: Services): Promise<void> {
    this.#agentEvents.reset();
    for (const [event, count] of Object.entries(await store.agents.counts()))
      this.#agentEvents.inc({ event }, count);
  }

  async #setProcess({ clock }: Services): Promise<void> {
    const { user, system } = process.cpuUsage();
    this.#cpu.reset();
    this.#cpu.inc((user + system) / 1e6);
    this.#gauges.memory.set(process.memoryUsage.rss());
    this.#gauges.startedAt.set(clock.now() / 1000 - process.uptime());
    const files = await readdir("/proc/self/fd").catch(() => undefined);
    if (files) this.#gauges.files.set(files.length);
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: Label[]): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }
}

import { providerKinds } from "../providers/provider.ts";
import { builtInAgentPrompt } from "./agent-prompt.ts";
import { isBaseUrl } from "./base-url.ts";
import { choice, type Key, list, optionalChoice, optionalNumber, optionalText, text, whole } from "./key.ts";

/** The longest wait a setting can ask for: a signed 32-bit count of milliseconds, 24 days. */
const longestMs = 2_147_483_647;
const oneBillion = 1_000_000_000;
const largestBody = 32 * 1024 * 1024;
const oneCentury = 36_500;

const present = { test: (value: string) => value.trim() !== "", message: "must not be empty" };
const headerText = {
  test: (value: string) => /^[\x21-\x7e]{0,4096}$/.test(value),
  message: "must be at most 4096 visible ASCII characters: it travels in a header",
};
const tokenText = {
  test: (value: string) => /^[\x21-\x7e]{1,4096}$/.test(value),
  message: "must be 1 to 4096 visible ASCII characters; leave it out for no token",
};
const hostText = {
  test: (value: string) => /^[0-9A-Za-z.:%_-]+$/.test(value),
  message: "must be a host name or an IP address, without port or brackets",
};
const baseUrlText = {
  test: isBaseUrl,
  message: "must be an http:// or https:// URL without query or fragment",
};

/** Keys that stand at the top of the file. */
export const rootKeys = {
  provider: text({ class: "turn", default: "echo", description: "A name in `providers`.", check: present }),
  fallback: list({
    class: "turn",
    default: [],
    description:
      "Names tried in order while the chosen provider is parked; it is tried again when its time is up. Never for `invalid_request` or `context_overflow`.",
  }),
} satisfies Record<string, Key>;

/** Keys of an entry of `providers`; what is unset here is filled by kind and name. */
export const providerKeys = {
  kind: optionalChoice({
    class: "turn",
    options: providerKinds,
    shownDefault: "the name, for the five",
    description:
      "How the provider is spoken to. Five entries exist under these names without being declared; declaring one merges into it; any other name needs a `kind`.",
  }),
  model: optionalText({
    class: "turn",
    shownDefault: "a current small model of the vendor; the kind's name for `command`, `echo`",
    description: "The model asked for. The default holds for the five; others must say.",
    check: present,
  }),
  baseUrl: optionalText({
    class: "turn",
    shownDefault: "the vendor's own",
    description: "Any compatible server: Ollama, llama.cpp, vLLM, OpenRouter, a gateway.",
    check: baseUrlText,
  }),
  apiKey: optionalText({
    class: "turn",
    secret: true,
    shownDefault: "`$ANTHROPIC_API_KEY`, `$GEMINI_API_KEY`, `$OPENAI_API_KEY` by kind",
    description:
      "The key sent along. The default holds only for the vendor's own base URL; elsewhere no key is sent unless one is set; empty means absent.",
    check: headerText,
  }),
  maxOutputTokens: whole({
    class: "turn",
    unit: "tokens",
    default: 4096,
    min: 1,
    max: oneBillion,
    description: "The longest reply asked for.",
  }),
  temperature: optionalNumber({
    class: "turn",
    min: 0,
    max: 2,
    shownDefault: "unset",
    description: "Sampling temperature; the vendor's default where unset.",
  }),
  argv: list({
    class: "turn",
    default: [],
    description: "Kind `command`: the program and its arguments; no shell reads them.",
  }),
  delayMs: whole({
    class: "turn",
    unit: "ms",
    default: 0,
    min: 0,
    max: longestMs,
    description: "Kind `echo`: how long it waits before it answers.",
  }),
} satisfies Record<string, Key>;

/** Keys that stand inside a section. */
export const sectionKeys = {
  turn: {
    system: text({
      class: "turn",
      default: "",
      description: "System prompt of sessions without their own.",
    }),
    timeoutMs: whole({
      class: "turn",
      unit: "ms",
      default: 120_000,
      min: 1,
      max: longestMs,
      description:
        "A turn is aborted when nothing arrives for this long, the time to the first byte included.",
    }),
    maxDurationMs: whole({
      class: "turn",
      unit: "ms",
      default: 900_000,
      min: 1,
      max: longestMs,
      description: "A turn is aborted when it lasts longer.",
    }),
    maxAttempts: whole({
      class: "live",
      unit: "attempts",
      default: 5,
      min: 1,
      max: oneBillion,
      description: "Counted attempts before a message is `failed`.",
    }),
    retryMs: whole({
      class: "live",
      unit: "ms",
      default: 2000,
      min: 0,
      max: longestMs,
      description: "First wait before a retry; each next is four times as long, at most 5 min, ±20 %.",
    }),
    mode: choice({
      class: "turn",
      default: "single",
      options: ["single", "batch"],
      description: "`batch`: pending messages go to one turn together.",
    }),
    batchMax: whole({
      class: "turn",
      unit: "messages",
      default: 20,
      min: 0,
      max: oneBillion,
      description: "Messages a batch; 0 means all.",
    }),
    rolloverTokens: whole({
      class: "turn",
      unit: "tokens",
      default: 150_000,
      min: 0,
      max: oneBillion,
      description:
        "Once a turn read more input tokens than this, the next starts a fresh context; 0 means never.",
    }),
    rolloverKeep: whole({
      class: "turn",
      unit: "turns",
      default: 2,
      min: 0,
      max: oneBillion,
      description:
        "Latest exchanges that go along into a fresh context, as long as they stay under half the limit.",
    }),
  },
  limits: {
    turnsPerProvider: whole({
      class: "live",
      unit: "turns",
      default: 4,
      min: 1,
      max: oneBillion,
      description: "Turns at once, all sessions of a provider together; slots go in the order of asking.",
    }),
    tokensPerDay: whole({
      class: "live",
      unit: "tokens",
      default: 0,
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
      description: "Input and output tokens a UTC day, checked before a turn; 0 means no limit.",
    }),
    maxPendingPerSession: whole({
      class: "live",
      unit: "messages",
      default: 10_000,
      min: 1,
      max: oneBillion,
      description: "Pending messages of a session, beyond which a post is answered 429.",
    }),
    maxMessageBytes: whole({
      class: "live",
      unit: "bytes",
      default: 1_048_576,
      min: 1,
      max: largestBody,
      description: "Longest message; a longer one is answered 413.",
    }),
  },
  sessions: {
    idleUnloadMs: whole({
      class: "live",
      unit: "ms",
      default: 300_000,
      min: 0,
      max: longestMs,
      description:
        "A session without pending messages, turn or wait for this long is unloaded from memory; its record stays, the next message loads it.",
    }),
  },
  reload: {
    mode: choice({
      class: "live",
      default: "auto",
      options: ["auto", "manual"],
      description: "`manual`: edits are judged, planned and shown as waiting; `apply` puts them in force.",
    }),
    debounceMs: whole({
      class: "live",
      unit: "ms",
      default: 500,
      min: 0,
      max: longestMs,
      description:
        "Quiet time after the last file event, at most ten times as long after the first. Edits by API are not debounced.",
    }),
    pollMs: whole({
      class: "live",
      unit: "ms",
      default: 2000,
      min: 1,
      max: longestMs,
      description: "Safety poll of the file (it reads and hashes), and polling where native watching fails.",
    }),
    staggerMs: whole({
      class: "live",
      unit: "ms",
      default: 2000,
      min: 0,
      max: longestMs,
      description: "Between the steps of a rollout; steps widen so that none takes longer than 60 s.",
    }),
    guard: choice({
      class: "live",
      default: "endpoint",
      options: ["endpoint", "any", "off"],
      description:
        "Where sessions go back to while a binding that fails is held: their last proven binding of the same kind and base URL, any proven one, or nowhere.",
    }),
  },
  daemon: {
    graceMs: whole({
      class: "live",
      unit: "ms",
      default: 20_000,
      min: 0,
      max: longestMs,
      description: "How long a drain waits for turns in flight.",
    }),
  },
  server: {
    host: text({
      class: "restart",
      default: "127.0.0.1",
      description: "The address to listen on. The socket in the data folder is always there.",
      check: hostText,
    }),
    port: whole({
      class: "restart",
      default: 4747,
      min: 0,
      max: 65_535,
      description: "The port to listen on; 0 picks a free one.",
    }),
    token: optionalText({
      class: "live",
      secret: true,
      shownDefault: "unset",
      description: "Bearer token; required when the host is not loopback.",
      check: tokenText,
    }),
  },
  storage: {
    durability: choice({
      class: "live",
      default: "full",
      options: ["full", "normal"],
      description: "`full` survives power loss, `normal` a crash of the process.",
    }),
    keepDays: whole({
      class: "live",
      unit: "days",
      default: 0,
      min: 0,
      max: oneCentury,
      description:
        "Ended messages older than this are deleted, except those in a session's present context; sessions left empty and untouched as long go too; 0 means never.",
    }),
    keepEventsDays: whole({
      class: "live",
      unit: "days",
      default: 7,
      min: 1,
      max: oneCentury,
      description: "How long events can be replayed.",
    }),
  },
  agents: {
    prompt: text({
      class: "live",
      default: builtInAgentPrompt,
      shownDefault: "built in",
      description: "System prompt of sessions that follow a coding agent: text or `file:PATH`.",
    }),
    skipTools: list({
      class: "live",
      default: ["TodoWrite", "AskUserQuestion", "ListMcpResourcesTool", "SlashCommand", "Skill"],
      description: "Names of tools whose events are dropped.",
    }),
    exclude: list({
      class: "live",
      default: [],
      description: "Globs of project folders whose events are dropped.",
    }),
    memories: whole({
      class: "live",
      default: 3,
      min: 0,
      max: 1000,
      description: "Summaries handed to a starting agent.",
    }),
  },
  log: {
    level: choice({
      class: "live",
      default: "info",
      options: ["debug", "info", "warn", "error", "silent"],
      description: "Least severity that is logged: text on a terminal, else JSON lines.",
    }),
  },
} satisfies Record<string, Record<string, Key>>;

/** What a name in `providers` may be; it cannot clash with what every JavaScript object has. */
export const providerName = /^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$/;

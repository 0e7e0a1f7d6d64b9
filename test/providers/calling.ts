import type {
  Failure,
  Provider,
  ProviderConfig,
  TurnPart,
  TurnRequest,
} from "../../src/providers/provider.ts";

/** The kinds that are reached over HTTP. */
export const wireKinds = ["claude", "gemini", "openai"] as const;
export type WireKind = (typeof wireKinds)[number];

const models: Readonly<Record<ProviderConfig["kind"], string>> = {
  claude: "claude-haiku-4-5",
  gemini: "gemini-2.5-flash",
  openai: "gpt-4o-mini",
  command: "command",
  echo: "echo",
};

/** A configuration that works, with what a test wants otherwise. */
export function configOf(kind: ProviderConfig["kind"], more: Partial<ProviderConfig> = {}): ProviderConfig {
  return {
    kind,
    endpoint: kind,
    userInfo: undefined,
    key: undefined,
    model: models[kind],
    maxOutputTokens: 100,
    temperature: undefined,
    argv: [],
    delayMs: 0,
    ...more,
  };
}

/** A turn that was taken to its end. */
export interface Taken {
  parts: TurnPart[];
  /** The text parts, joined. */
  text: string;
  /** How often something arrived. */
  activity: number;
}

/** What a test does while a turn runs. */
export interface During {
  onPart?: (part: TurnPart) => void;
  onActivity?: () => void;
}

/** Takes one turn to its end. */
export async function take(
  provider: Provider,
  request: Partial<TurnRequest> = {},
  { onPart, onActivity }: During = {},
): Promise<Taken> {
  const taken: Taken = { parts: [], text: "", activity: 0 };
  const whole: TurnRequest = {
    session: "ses_1",
    system: "",
    turns: [],
    content: "hello",
    signal: new AbortController().signal,
    ...request,
    onActivity: () => {
      taken.activity += 1;
      onActivity?.();
    },
  };
  for await (const part of provider.call(whole)) {
    taken.parts.push(part);
    if (part.type === "text") taken.text += part.text;
    onPart?.(part);
  }
  return taken;
}

/** The failure a turn ended in; fails the test where it ended otherwise. */
export function failureOf(taken: Taken): Failure {
  const last = taken.parts.at(-1);
  if (last?.type !== "failed") throw new Error(`the turn did not fail: ${JSON.stringify(taken.parts)}`);
  return last.failure;
}

/** The proper end of a turn; fails the test where it ended otherwise. */
export function endOf(taken: Taken): Extract<TurnPart, { type: "end" }> {
  const last = taken.parts.at(-1);
  if (last?.type !== "end") throw new Error(`the turn did not end well: ${JSON.stringify(taken.parts)}`);
  return last;
}

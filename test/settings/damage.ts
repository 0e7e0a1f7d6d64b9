/** A settings file with something wrong in it. */
export interface Damaged {
  kind: string;
  bytes: Uint8Array;
  /** Where it has one fault in one line: that line, counted from 1. */
  line: number | undefined;
}

/** Chance that can be repeated: the same seed gives the same numbers (mulberry32). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }
}

/** Good files, one entry a line, so that a fault has a line. */
const good: readonly [string, ...string[]] = [
  `// who answers
{
  "$schema": "./settings.schema.json",
  "provider": "claude", // for now
  "fallback": ["echo", "gemini"],
  "providers": {
    "claude": {
      "apiKey": "sk-damage-0123456789",
      "model": "claude-x"
    },
    /* of our own */
    "mine": { "kind": "command", "model": "m", "argv": ["tool", "--x"] }
  },
  "turn": {
    "system": "Be \\"brief\\", please.",
    "maxAttempts": 7,
    "mode": "batch"
  },
  "limits": { "tokensPerDay": 1000000 },
  "server": {
    "port": 0,
    "token": "damage-token-value"
  }
}
`,
  `{
  "provider": "echo",
  "turn": {
    "retryMs": 100,
    "timeoutMs": 5000,
  },
  "log": {
    "level": "debug",
  },
}
`,
  `{
  "CLAUDE_MEM_PROVIDER": "gemini",
  "CLAUDE_MEM_GEMINI_API_KEY": "damage-gemini-key",
  "CLAUDE_MEM_WORKER_PORT": "37777",
  "CLAUDE_MEM_LOG_LEVEL": "INFO"
}
`,
];

/** One damaged file; `n` says which, so that every kind has its turn. */
export function damagedFile(n: number, chance: Chance): Damaged {
  const kinds = Object.entries(damages);
  const [kind, damage] = kinds[n % kinds.length] ?? ["cut", damages.cut];
  const lineBreak = chance.pick(["\n", "\n", "\r\n", "\r"]);
  const mark = chance.next() < 0.1 ? "\uFEFF" : "";
  const text = chance.pick(good);
  const { damaged, line } = damage(text, chance);
  const bytes =
    typeof damaged === "string"
      ? new TextEncoder().encode(mark + damaged.replaceAll("\n", lineBreak))
      : damaged;
  return { kind, bytes, line };
}

interface Fault {
  damaged: string | Uint8Array;
  line: number | undefined;
}

type Damage = (text: string, chance: Chance) => Fault;

/** Lines of `text` that `pattern` finds something in, counted from 0. */
function linesWith(text: string, pattern: RegExp): number[] {
  return text.split("\n").flatMap((line, index) => (pattern.test(line) ? [index] : []));
}

/** Changes one line that `pattern` is found in; the fault is in that line. */
function inLine(pattern: RegExp, change: (line: string, chance: Chance) => string): Damage {
  return (text, chance) => {
    const found = linesWith(text, pattern);
    const at = found[chance.below(found.length)] ?? 0;
    const lines = text.split("\n");
    lines[at] = change(lines[at] ?? "", chance);
    return { damaged: lines.join("\n"), line: at + 1 };
  };
}

const entry = /^ *"(?!\$schema)\w+": /;
const scalar = /^( *"(?!\$schema)\w+": )("(?:[^"\\]|\\.)*"|\d+)/;
const whole = /^( *"(?:retryMs|timeoutMs|maxAttempts|port)": )\d+|^( *"CLAUDE_MEM_WORKER_PORT": )"\d+"/;

/** What can be wrong with a file. */
const damages = {
  cut: (text, chance) => {
    const first = text.indexOf("{");
    const damaged = text.slice(0, first + 1 + chance.below(text.lastIndexOf("}") - first - 1));
    // The end of the file, or of what stands there, is where something is missing.
    return { damaged, line: isCutInLine(damaged) ? damaged.split("\n").length : undefined };
  },
  "a bracket or quote turned into something else": inLine(/[{["]/, (line, chance) =>
    line.replace(/[{["]/, () => chance.pick(["(", "'", "<", ";", "\\", "#", "@"])),
  ),
  "no colon": inLine(entry, (line) => line.replace('": ', '" ')),
  "no comma": (text, chance) => {
    const lines = text.split("\n");
    // Not the last of its object: there a comma may be left out.
    const found = lines.flatMap((line, index) =>
      /,( \/\/.*)?$/.test(line) && entry.test(lines[index + 1] ?? "") ? [index] : [],
    );
    const at = found[chance.below(found.length)] ?? 0;
    lines[at] = (lines[at] ?? "").replace(/,( \/\/.*)?$/, "$1");
    return { damaged: lines.join("\n"), line: at + 1 };
  },
  "a text that does not end": inLine(scalar, (line) => line.replace(/"(,?[^"]*)$/, "$1")),
  "a control character in a text": inLine(/^ *"(?!\$schema)\w+": "/, (line, chance) =>
    line.replace(': "', () => `: "${chance.pick(["\u0000", "\u0001", "\u0008", "\u001b"])}`),
  ),
  "a bad escape": inLine(/^ *"(?!\$schema)\w+": "/, (line, chance) =>
    line.replace(': "', () => `: "${chance.pick(["\\x41", "\\u12g4", "\\q", "\\'"])}`),
  ),
  "a number of the wrong kind": inLine(whole, (line, chance) =>
    line.replace(whole, (_all, own: string | undefined, legacy: string | undefined) => {
      const number = chance.pick(["1e999", "-1", "1.5", "99999999999999999999", "-0.1", "1e22"]);
      return own === undefined ? `${legacy}"${number}"` : own + number;
    }),
  ),
  "no number at all": inLine(whole, (line, chance) =>
    line.replace(
      whole,
      (_all, own: string | undefined, legacy: string | undefined) =>
        (own ?? legacy ?? "") + chance.pick(["0x10", "NaN", "+1", "1_000", ".5", "Infinity", "--1", "1e"]),
    ),
  ),
  "another type": inLine(scalar, (line, chance) =>
    line.replace(scalar, (_all, key: string) => key + chance.pick(['{ "a": 1 }', "[1]", '[["x"]]', "{}"])),
  ),
  "a word in the place of a value": inLine(scalar, (line, chance) =>
    line.replace(
      scalar,
      (_all, key: string) => key + chance.pick(["yes", "undefined", "None", "TRUE", "echo", "'echo'"]),
    ),
  ),
  "a key twice": inLine(scalar, (line) => `${line.replace(/,?\s*(\/\/.*)?$/, "")}, ${line.trimStart()}`),
  "an unknown key": (text, chance) => {
    const line = text.split("\n").findIndex((one) => one === "{") + 1;
    const name = chance.pick([
      "provder",
      "Turn",
      "maxAttempts",
      "timeout",
      "__proto__",
      "constructor",
      "a.b",
      "é",
    ]);
    // claude-mem's file may hold keys that mean nothing here; beside one of Segue's own it is no file of either.
    const added = text.includes("CLAUDE_MEM") ? '"turn": {}' : `${JSON.stringify(name)}: 1`;
    const lines = text.split("\n");
    lines.splice(line, 0, `  ${added},`);
    return { damaged: lines.join("\n"), line: line + 1 };
  },
  "nested too deeply": (text, chance) => {
    const depth = 65 + chance.below(20_000);
    const [open, close] = chance.pick([["[", "]"] as const, ['{"a":', "}"] as const]);
    const nested = `  "fallback": ${open.repeat(depth)}1${close.repeat(depth)},`;
    const lines = text.split("\n");
    const line = lines.indexOf("{") + 1;
    lines.splice(line, 0, nested);
    return { damaged: lines.join("\n"), line: line + 1 };
  },
  "something behind the end": (text, chance) => {
    const behind = chance.pick(["{}", "x", "]", "}", ",", '"', "null"]);
    return { damaged: `${text}${behind}`, line: text.split("\n").length };
  },
  "the file twice": (text) => ({
    damaged: text + text,
    line: text.split("\n").length + text.split("\n").indexOf("{"),
  }),
  "a comment that does not end": (text, chance) => {
    const lines = text.split("\n");
    const at = chance.below(lines.lastIndexOf("}"));
    lines[at] = `/* ${lines[at]}`;
    const damaged = lines.map((line, index) => (index < at ? line : line.replace("*/", ""))).join("\n");
    return { damaged, line: at + 1 };
  },
  "no object": (_text, chance) => {
    return {
      damaged: chance.pick([
        "",
        " \n\n",
        "null",
        "[]",
        '"text"',
        "42",
        "true",
        "// only a comment\n",
        "\u0000",
        "-",
        "{",
        "}",
      ]),
      line: undefined,
    };
  },
  "another encoding": (text, chance) => ({ damaged: encoded(text, chance), line: undefined }),
  "bytes that are no UTF-8": (text, chance) => {
    const bytes = new TextEncoder().encode(text);
    const at = chance.below(bytes.length);
    const bad = chance.pick([[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf8, 0x88], [0xc0, 0x80]]);
    const damaged = new Uint8Array([...bytes.slice(0, at), ...bad, ...bytes.slice(at)]);
    // One that begins a longer character takes what follows with it: the line is that of its first byte.
    return { damaged, line: new TextDecoder().decode(bytes.slice(0, at)).split("\n").length };
  },
  "longer than a settings file may be": (text, chance) => {
    const megabytes = chance.next() < 0.05 ? 10 : 1.1;
    const padding = new Uint8Array(megabytes * 1024 * 1024).fill(0x20);
    padding.set(new TextEncoder().encode(text));
    return { damaged: padding, line: 1 };
  },
  "pieces of it thrown together": (text, chance) => {
    const pieces = Array.from({ length: 2 + chance.below(8) }, () => {
      const at = chance.below(text.length);
      return text.slice(at, at + chance.below(40));
    });
    return { damaged: `[${pieces.join("")}`, line: undefined };
  },
  "any bytes": (_text, chance) => {
    const bytes = Uint8Array.from({ length: 1 + chance.below(300) }, () => chance.below(256));
    bytes[0] = 0x5b;
    return { damaged: bytes, line: undefined };
  },
} satisfies Record<string, Damage>;

/** Whether a file was cut within the line in which its last word or bracket stands. */
function isCutInLine(damaged: string): boolean {
  const last = damaged.split("\n").at(-1) ?? "";
  return last.trim() !== "" && !/\/[/*]?|^\s*$/.test(last);
}

function encoded(text: string, chance: Chance): Uint8Array {
  const units = text.split("").flatMap((char) => [char.charCodeAt(0) & 0xff, char.charCodeAt(0) >> 8]);
  const little = Uint8Array.from(units);
  const big = Uint8Array.from(units, (_unit, index) => units[index ^ 1] ?? 0);
  return chance.pick([
    new Uint8Array([0xff, 0xfe, ...little]),
    new Uint8Array([0xfe, 0xff, ...big]),
    little,
    big,
    Uint8Array.from(text.replace("{", "{ // café\n"), (char) => char.charCodeAt(0) & 0xff),
    Uint8Array.from(text, (char) => char.charCodeAt(0) ^ 0x80),
  ]);
}

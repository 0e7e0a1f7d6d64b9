import type { Block } from "./page.ts";

/**
 * What becomes of a block when its page is run, by its language and by the note behind that:
 *
 * - `sh`: runs, in one shell for the whole page; `sh serving`: starts a daemon, which goes on beside the rest;
 *   `sh follows`: is ended once it has shown something; `sh fails N`: ends with this exit code.
 * - `text`: what the block before it printed; `…` stands for anything.
 * - `jsonc`: settings, which have to be valid; `jsonc settings`: saved as the settings file, and read;
 *   `jsonc refused`: the same, and found wrong.
 * - any of them with `not run: REASON`: shown only.
 */
export type Step =
  | { kind: "run"; commands: string; exitCode: number }
  | { kind: "serve" | "follow"; command: string }
  | { kind: "expect"; pattern: RegExp }
  | { kind: "check"; settings: string }
  | { kind: "save"; settings: string; exitCode: number }
  | { kind: "show"; reason: string };

/** Throws where a note says nothing that is known. */
export function stepOf({ language, note, text, line }: Block): Step {
  const reason = /^not run: (?<reason>.+)$/.exec(note)?.groups?.["reason"];
  if (reason !== undefined) return { kind: "show", reason };
  const fails = /^fails (?<exitCode>\d+)$/.exec(note)?.groups?.["exitCode"];
  switch (`${language} ${fails === undefined ? note : "fails"}`.trim()) {
    case "sh":
    case "sh fails":
      return { kind: "run", commands: text, exitCode: Number(fails ?? 0) };
    case "sh serving":
      return { kind: "serve", command: onlyCommand(text) };
    case "sh follows":
      return { kind: "follow", command: onlyCommand(text) };
    case "text":
      return { kind: "expect", pattern: patternOf(text) };
    case "jsonc":
      return { kind: "check", settings: text };
    case "jsonc settings":
      return { kind: "save", settings: text, exitCode: 0 };
    case "jsonc refused":
      return { kind: "save", settings: text, exitCode: 5 };
    default:
      throw new Error(`line ${line}: nobody knows what to do with a block of "${language} ${note}"`);
  }
}

function onlyCommand(text: string): string {
  const commands = text
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const [command = ""] = commands;
  if (commands.length !== 1) throw new Error(`one command was expected, not ${commands.length}: ${text}`);
  return command;
}

function patternOf(text: string): RegExp {
  const parts = text
    .trimEnd()
    .split("…")
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*?")}\\s*$`);
}

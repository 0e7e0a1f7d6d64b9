import { delimiter, join } from "node:path";
import { accessSync, constants } from "node:fs";
import { agentName } from "../agents/claude-code.ts";
import {
  allowsUrl,
  type Hooks,
  hooksFor,
  obstacleIn,
  withHooks,
  withoutHooks,
} from "../agents/hook-settings.ts";
import { SegueError } from "../core/errors.ts";
import { exchangeFiles } from "../platform/exchange.ts";
import { type Document, parseDocument } from "../settings/document.ts";
import { type Finding, placeFindings } from "../settings/finding.ts";
import { replaceFile } from "../settings/replace-file.ts";
import { readSource } from "../settings/source.ts";
import { ownProgram } from "./own-program.ts";
import type { CommandContext } from "./command.ts";
import { daemonSide } from "./daemon-side.ts";
import { problemLine } from "./failure.ts";
import { findPaths } from "./paths.ts";
import { differenceLines } from "./text-difference.ts";

/** What `segue connect` is to do. */
export interface ConnectOptions {
  agent: string;
  /** Show what would change, and change nothing. */
  isPrint: boolean;
  /** Take our hooks out instead of putting them in. */
  isRemove: boolean;
}

/**
 * `segue connect`: shows, then makes the change of the agent's settings that has it tell the daemon of its work. A
 * second time it changes nothing. Throws where the agent's file is broken; nothing is then changed.
 */
export async function connect(context: CommandContext, options: ConnectOptions): Promise<number> {
  const { screen, flags, env, home } = context;
  if (options.agent !== agentName)
    throw new SegueError("usage", `There is no agent of this name; ${agentName} is the one that is known.`);
  const path = join(env["CLAUDE_CONFIG_DIR"] || join(home, ".claude"), "settings.json");
  const { text, mark, hash } = await readAgentFile(path);
  const before = text ?? "{}\n";
  const after = options.isRemove ? withoutHooks(before) : withHooks(before, await hooksOf(context, before));
  const isChanged = after !== before;
  if (flags.json)
    screen.answer(JSON.stringify({ path, isChanged, isWritten: isChanged && !options.isPrint }));
  else if (isChanged) screen.answer(path, ...differenceLines(text === undefined ? "" : before, after));
  if (isChanged && !options.isPrint) await write(path, mark + after, hash);
  if (!flags.json) screen.note(outcome(options, isChanged));
  return 0;
}

function outcome({ isPrint, isRemove }: ConnectOptions, isChanged: boolean): string {
  if (!isChanged) return isRemove ? "There are no hooks of ours in it." : "It is connected already.";
  if (isPrint) return "Nothing was changed; without --print it would be.";
  return isRemove
    ? "The hooks are taken out. Agents that run keep them until they are started again."
    : "Connected. Agents that are started from now on tell of their work.";
}

async function readAgentFile(
  path: string,
): Promise<{ text: string | undefined; mark: string; hash: string | null }> {
  const source = readSource(path);
  if (source.kind === "missing") return { text: undefined, mark: "", hash: null };
  if (source.kind === "unreadable") throw new SegueError("invalid", `${path}: ${source.reason}.`);
  const { text, mark } = goodDocument(path, source.bytes);
  return { text, mark, hash: source.hash };
}

/** Whoever could not read the file as the agent does must not change it. */
function goodDocument(path: string, bytes: Uint8Array): Document {
  const parsed = parseDocument(bytes);
  if ("broken" in parsed) throw broken(path, parsed.broken.findings, parsed.broken.text);
  const { document } = parsed;
  const obstacle = obstacleIn(document.text, Object.keys(hooksFor("", undefined, "")));
  if (obstacle) throw broken(path, [{ path: "hooks", ...obstacle }], document.text);
  return document;
}

function broken(path: string, findings: readonly Finding[], text: string): SegueError {
  const [problem] = placeFindings(findings, text);
  const place = problem ? problemLine(problem, path) : `${path} is broken`;
  return new SegueError("invalid", place, { hint: "mend it by hand first; nothing was changed" });
}

/** The hooks for the daemon that is meant; says what else the agent needs to reach it. */
async function hooksOf(context: CommandContext, agentSettings: string): Promise<Hooks> {
  const { screen } = context;
  const { url, tokenVariable, isTokenNamed } = await daemonSide(context);
  if (tokenVariable !== undefined && !isTokenNamed)
    screen.note(`The daemon wants its token: set $${tokenVariable} to it where the agent runs.`);
  if (!allowsUrl(agentSettings, `${url}/hooks/${agentName}`))
    screen.note(`allowedHttpHookUrls keeps the agent from it: add "${url}/hooks/*" to that list by hand.`);
  return hooksFor(url, tokenVariable, hookCommand(context));
}

/** The command for SessionStart: this program, by its name alone where the agent will find it. */
function hookCommand({ flags, paths, env, home }: CommandContext): string {
  const { executable, source, before } = ownProgram();
  const isFound = source === undefined && onPath("segue", env["PATH"]);
  const program = isFound ? ["segue"] : [executable, ...before];
  const isUsual = findPaths({}, {}, home).data === paths.data;
  const at = flags.url !== undefined ? ["--url", flags.url] : isUsual ? [] : ["--data", paths.data];
  return [...program, "hook", agentName, ...at].map(quoted).join(" ");
}

function onPath(name: string, path: string | undefined): boolean {
  return (path ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return folder !== "";
    } catch {
      return false;
    }
  });
}

/** An argument as a POSIX shell takes it as it is. */
function quoted(argument: string): string {
  return /^[\w./:@%+=-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

async function write(path: string, text: string, hash: string | null): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  const isWritten = await replaceFile(path, { bytes, expected: hash, exchange: exchangeFiles });
  if (!isWritten)
    throw new SegueError("invalid", `${path} was changed by somebody else at the same moment.`, {
      hint: "nothing was changed; try again",
    });
}

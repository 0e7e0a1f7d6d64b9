import { parseArgs } from "node:util";
import { Coverage } from "./coverage.ts";
import type { Seen } from "./history.ts";
import { type Failure, promiseOf, replay, search, shorten } from "./search.ts";
import { anyProfile, profiles } from "./workload.ts";

/** So much of a history is shown, and so much of each thing in it. */
const shownSights = 60;
const shownCharacters = 240;

const { values } = parseArgs({
  options: {
    seconds: { type: "string" },
    steps: { type: "string" },
    seed: { type: "string", default: "1" },
    profile: { type: "string", default: "default" },
    life: { type: "string" },
    items: { type: "string" },
    "show-all": { type: "boolean", default: false },
  },
});

/** Places as they are written: `0,3,5-9`. */
function placesOf(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const [first = 0, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}

function placesText(places: readonly number[]): string {
  const parts: string[] = [];
  for (let at = 0; at < places.length;) {
    let end = at;
    while (places[end + 1] === (places[end] ?? 0) + 1) end += 1;
    parts.push(end === at ? `${places[at]}` : `${places[at]}-${places[end]}`);
    at = end + 1;
  }
  return parts.join(",");
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function printHistory(history: readonly Seen[], isAll: boolean): void {
  const shown = isAll ? history : history.slice(-shownSights);
  if (shown.length < history.length) print(`… ${history.length - shown.length} before`);
  for (const { at, step, ...sight } of shown) {
    const text = JSON.stringify(sight);
    const isCut = !isAll && text.length > shownCharacters;
    print(
      `${step} ${new Date(at).toISOString().slice(11, 23)} ${isCut ? `${text.slice(0, shownCharacters)}…` : text}`,
    );
  }
}

function printBroken(broken: unknown): void {
  print(`BROKEN: ${promiseOf(broken) ?? ""}`);
  print(broken instanceof Error ? (broken.stack ?? broken.message) : String(broken));
}

function printFailure({ life, places, planned, broken, history }: Failure, profile: string): void {
  printHistory(history, false);
  printBroken(broken);
  print(`${places.length} of ${planned} items are enough. To replay it:`);
  print(`  bun run simulate --profile ${profile} --life ${life} --items ${placesText(places)}`);
}

async function again(life: number): Promise<void> {
  const { profile, items } = values;
  const { history, broken, steps } = await replay(
    life,
    profile,
    items === undefined ? undefined : placesOf(items),
  );
  printHistory(history, values["show-all"]);
  print(`${steps} steps`);
  if (broken === undefined) return;
  printBroken(broken);
  process.exitCode = 1;
}

async function searchOn(): Promise<void> {
  const { profile, seed } = values;
  const coverage = new Coverage();
  const seconds = values.seconds === undefined ? Infinity : Number(values.seconds);
  const mostSteps = values.steps === undefined ? Infinity : Number(values.steps);
  const startedAt = performance.now();
  const usedBefore = process.cpuUsage();
  const elapsed = (): number => (performance.now() - startedAt) / 1000;
  const isOver = ({ steps }: { steps: number }): boolean => elapsed() >= seconds || steps >= mostSteps;
  const { lives, steps, simulatedMs, failure } = await search({
    seed: Number(seed),
    profile,
    coverage,
    isOver,
  });
  const hours = (simulatedMs / 3_600_000).toFixed(1);
  const { user, system } = process.cpuUsage(usedBefore);
  const perSecond = Math.round((steps / (user + system)) * 1_000_000);
  print(
    `${steps} steps in ${lives} lives, ${hours} h of simulated time, ${perSecond} steps a second of processor time`,
  );
  for (const line of coverage.report()) print(line);
  if (!failure) return;
  print(`broken in life ${failure.life}: ${promiseOf(failure.broken) ?? ""}; looking for a shorter one`);
  printFailure(await shorten(failure, profile), profile);
  process.exitCode = 1;
}

const known = [...Object.keys(profiles), anyProfile];
if (!known.includes(values.profile)) {
  print(`there is no profile ${values.profile}; there are ${known.join(", ")}`);
  process.exitCode = 2;
} else if (values.life === undefined) await searchOn();
else await again(Number(values.life));

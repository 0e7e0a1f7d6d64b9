import { Chance } from "./chance.ts";
import type { Coverage } from "./coverage.ts";
import type { Seen } from "./history.ts";
import { type LifeReport, live } from "./life.ts";
import { Model } from "./model.ts";
import { shortened } from "./shortening.ts";
import { type Item, planLife } from "./workload.ts";

/** A life in which a promise was broken. */
export interface Failure {
  /** Seed of the life. */
  life: number;
  /** Places of the items that it takes. */
  places: readonly number[];
  planned: number;
  broken: unknown;
  history: readonly Seen[];
}

/** What a search found. */
export interface SearchReport {
  lives: number;
  steps: number;
  simulatedMs: number;
  failure: Failure | undefined;
}

const mostTries = 200;

/** The seed of one life of a search. */
export function lifeSeed(seed: number, number: number): number {
  return new Chance(seed, number + 1).seed();
}

/** What is done in a life. */
function itemsOf(life: number, profile: string): Item[] {
  return planLife(profile, new Chance(life, 1));
}

/** Lives one life after the other until one fails, or `isOver` says that it is enough. */
export async function search(parts: {
  seed: number;
  profile: string;
  coverage: Coverage;
  isOver: (report: SearchReport) => boolean;
}): Promise<SearchReport> {
  const { seed, profile, coverage, isOver } = parts;
  const report: SearchReport = { lives: 0, steps: 0, simulatedMs: 0, failure: undefined };
  while (!isOver(report)) {
    const life = lifeSeed(seed, report.lives);
    const items = itemsOf(life, profile);
    const { steps, simulatedMs, broken, history } = await liveOnce(life, items, coverage);
    report.lives += 1;
    report.steps += steps;
    report.simulatedMs += simulatedMs;
    if (broken === undefined) continue;
    report.failure = { life, places: [...items.keys()], planned: items.length, broken, history };
    break;
  }
  return report;
}

/** Lives a life again, with the items at these places alone where some are given. */
export async function replay(
  life: number,
  profile: string,
  places?: readonly number[],
): Promise<LifeReport & { planned: number }> {
  const items = itemsOf(life, profile);
  const kept = places ? items.filter((_, place) => places.includes(place)) : items;
  return { ...(await liveOnce(life, kept)), planned: items.length };
}

/** The same failure with as few items as can be found. */
export async function shorten(failure: Failure, profile: string): Promise<Failure> {
  const items = itemsOf(failure.life, profile);
  const fails = async (kept: readonly Item[]): Promise<boolean> =>
    isSame((await liveOnce(failure.life, kept)).broken, failure.broken);
  const kept = await shortened(items, fails, mostTries);
  const { broken, history } = await liveOnce(failure.life, kept);
  return { ...failure, broken, history, places: kept.map((item) => items.indexOf(item)) };
}

function liveOnce(life: number, items: readonly Item[], coverage?: Coverage): Promise<LifeReport> {
  const model = new Model();
  return live({
    seed: life,
    items,
    judge: {
      see: (seen) => {
        coverage?.see(seen);
        model.see(seen);
      },
    },
    ...(coverage && { onSessionStep: (session, from, event, to) => coverage.step(session, from, event, to) }),
  });
}

/** Whether two lives broke the same promise. */
function isSame(one: unknown, other: unknown): boolean {
  return promiseOf(one) !== undefined && promiseOf(one) === promiseOf(other);
}

/** Which promise was broken, as far as what was thrown says it. */
export function promiseOf(broken: unknown): string | undefined {
  if (broken instanceof Error && "promise" in broken) return String(broken.promise);
  return broken instanceof Error ? broken.message : undefined;
}

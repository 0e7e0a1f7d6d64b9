import { expect, test } from "bun:test";
import { Coverage } from "./coverage.ts";
import { promiseOf, replay, search } from "./search.ts";
import { profiles } from "./workload.ts";

/** A few lives of each kind, always the same ones; `bun run simulate` goes on from there. */
const livesOfEach = 2;
/** Of a life that is lived twice, so many items. */
const firstItems = [...Array(80).keys()];

test.each(Object.keys(profiles))("no promise is broken in some lives of the profile %s", async (profile) => {
  const { failure, steps } = await search({
    seed: 1,
    profile,
    coverage: new Coverage(),
    isOver: ({ lives }) => lives >= livesOfEach,
  });
  expect(failure && { life: failure.life, promise: promiseOf(failure.broken) }).toBeUndefined();
  expect(steps).toBeGreaterThan(0);
});

test.each(Object.keys(profiles))("a life of the profile %s is the same a second time", async (profile) => {
  const [one, other] = [await replay(7, profile, firstItems), await replay(7, profile, firstItems)];
  expect(JSON.stringify(other.history)).toBe(JSON.stringify(one.history));
});

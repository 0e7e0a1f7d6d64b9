import { expect, test } from "bun:test";
import { systemClock } from "../../src/core/clock.ts";
import { LookLoop } from "../../src/settings/look-loop.ts";
import { QuietTime } from "../../src/settings/quiet-time.ts";

test("what is noticed in the middle of a look is looked at after it", async () => {
  let looks = 0;
  let underWay = 0;
  const overlaps: number[] = [];
  const faults: unknown[] = [];
  const loop = new LookLoop({
    quiet: new QuietTime({ clock: systemClock, debounceMs: () => 0, mark: () => "same" }),
    isNews: () => true,
    isUnsettled: () => false,
    look: async () => {
      looks += 1;
      underWay += 1;
      overlaps.push(underWay);
      if (looks === 1) loop.notice("poll");
      await Promise.resolve();
      underWay -= 1;
    },
    onFault: (thrown) => faults.push(thrown),
  });
  await loop.ask("signal", async () => {});
  await loop.ask("signal", async () => {});
  await loop.stop();
  expect(overlaps.length).toBeGreaterThanOrEqual(2);
  expect(new Set(overlaps)).toEqual(new Set([1]));
  expect(faults).toEqual([]);
});

import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { abandonRigs } from "./rig.ts";
import { happening, live } from "./schedule.ts";

/** A few lives at each run, always the same; others, and more of them, by hand. */
const seed = Number(process.env["SEGUE_TEST_SEED"] ?? 20_260_301);
const numRuns = Number(process.env["SEGUE_TEST_RUNS"] ?? 40);
/** The path that a failure names: that life alone, again. */
const path = process.env["SEGUE_TEST_PATH"];

test("whatever happens in whatever order, the promises are kept and everything ends", async () => {
  const property = fc.asyncProperty(
    fc.array(happening, { minLength: 5, maxLength: 60, size: "max" }),
    fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
    async (happenings, chance) => {
      try {
        await live(happenings, () => {
          const { value } = chance.next();
          return typeof value === "number" ? value : 0.5;
        });
      } finally {
        await abandonRigs();
      }
    },
  );
  await fc.assert(property, { seed, numRuns, ...(path !== undefined && { path, endOnFailure: true }) });
  expect(numRuns).toBeGreaterThan(0);
}, 3_600_000);

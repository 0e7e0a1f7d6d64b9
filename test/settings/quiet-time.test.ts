import { expect, test } from "bun:test";
import { QuietTime } from "../../src/settings/quiet-time.ts";
import { ManualClock } from "../support/manual-clock.ts";

function setup() {
  const clock = new ManualClock();
  const file = { mark: "one" };
  const quiet = new QuietTime({
    clock,
    debounceMs: () => 500,
    mark: () => file.mark,
  });
  const begun = clock.now();
  const passed = (): { at: number | undefined } => {
    const result: { at: number | undefined } = { at: undefined };
    void quiet.passed().then(() => (result.at = clock.now() - begun));
    return result;
  };
  return { clock, file, quiet, passed };
}

test("nothing touched is nothing to wait for", async () => {
  const { clock, passed } = setup();
  const result = passed();
  await clock.settle();
  expect(result.at).toBe(0);
  expect(clock.waiting).toBe(0);
});

test("it is quiet when nothing happened for the quiet time, at most ten times as long", async () => {
  const { clock, quiet, passed } = setup();
  quiet.touch();
  const result = passed();
  for (let n = 0; n < 5; n++) {
    await clock.advance(300);
    quiet.touch();
  }
  await clock.advance(499);
  expect(result.at).toBeUndefined();
  await clock.advance(1);
  expect(result.at).toBe(2000);
  quiet.touch();
  const starved = passed();
  for (let n = 0; n < 60; n++) {
    await clock.advance(90);
    quiet.touch();
  }
  expect(starved.at).toBe(7000);
});

test("where no events come, a file that still changes is not quiet", async () => {
  const { clock, file, quiet, passed } = setup();
  quiet.touch();
  const result = passed();
  await clock.advance(400);
  file.mark = "two";
  await clock.advance(500);
  expect(result.at).toBeUndefined();
  await clock.advance(100);
  expect(result.at).toBe(1000);
});

import { expect, test } from "bun:test";
import { checkpointName, outdatedCheckpoints } from "../../src/cli/kept-checkpoints.ts";

test("the last five checkpoints are kept, and what is none is left alone", () => {
  const names = Array.from({ length: 8 }, (_, at) => checkpointName(Date.UTC(2026, 0, 1, 0, 0, 5 + at)));
  const shuffled = ["notes.json", ...names.toReversed(), ".2026.json.12.new"];
  expect(outdatedCheckpoints(shuffled)).toEqual(names.slice(0, 3));
  expect(outdatedCheckpoints(names.slice(0, 5))).toEqual([]);
});

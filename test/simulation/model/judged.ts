import { expect, test } from "bun:test";
import type { Document } from "../history.ts";
import { Violation } from "../model.ts";
import type { PromiseName } from "./violation.ts";
import { WrittenLife, settings } from "./written-life.ts";

/**
 * Tests that the model lets a life pass, and finds the breach of this promise in the same life where it is broken in
 * one place.
 */
export function judges(
  promise: PromiseName,
  sentence: string,
  write: (life: WrittenLife, isBroken: boolean) => void,
  document: Document = settings,
): void {
  test(`${promise}: ${sentence}`, () => {
    write(WrittenLife.serving(document), false);
    expect(breachOf(() => write(WrittenLife.serving(document), true))).toBe(promise);
  });
}

function breachOf(live: () => void): string {
  try {
    live();
  } catch (thrown) {
    if (thrown instanceof Violation) return thrown.promise;
    throw thrown;
  }
  return "none";
}

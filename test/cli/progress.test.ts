import { expect, test } from "bun:test";
import { Progress, bytesText } from "../../src/cli/progress.ts";

function setup(isTerminal: boolean): {
  progress: Progress;
  written: () => string;
  wait: (ms: number) => void;
} {
  let now = 0;
  let text = "";
  const stderr = { isTerminal, columns: 20, write: (part: string) => void (text += part) };
  const progress = new Progress({ stderr, clock: { now: () => now } });
  return { progress, written: () => text, wait: (ms) => void (now += ms) };
}

const cleared = "\r\u001B[K";

test("on a terminal one line is written over again, not too often, and goes away", () => {
  const { progress, written, wait } = setup(true);
  progress.show("1 of 3");
  progress.show("2 of 3");
  wait(200);
  progress.show("3 of 3, and more than fits");
  progress.end();
  progress.end();
  expect(written()).toBe(`${cleared}1 of 3${cleared}3 of 3, and more th${cleared}`);
});

test("elsewhere nothing of it is written", () => {
  const { progress, written } = setup(false);
  progress.show("1 of 3");
  progress.end();
  expect(written()).toBe("");
});

test("where nothing was shown nothing is taken away", () => {
  const { progress, written } = setup(true);
  progress.end();
  expect(written()).toBe("");
});

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [3.4 * 1024 * 1024, "3.4 MiB"],
  [5 * 1024 ** 5, "5120.0 TiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

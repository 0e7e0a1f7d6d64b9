import { expect, test } from "bun:test";
import { createIds, systemRandom } from "../../src/core/ids.ts";

/** What an id may be (contract section 5). */
const idPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

test("ids say what they are of, and are what an id may be", () => {
  const ids = createIds(() => 0);
  const made = [ids.message(), ids.session(), ids.generator(), ids.boot()];
  expect(made.map((id) => id.replace(/_.*/, ""))).toEqual(["msg", "ses", "gen", "boot"]);
  for (const id of made) expect(id).toMatch(idPattern);
});

test("of many ids no two are the same", () => {
  const ids = createIds(() => 0);
  const made = Array.from({ length: 10_000 }, () => ids.message());
  expect(new Set(made).size).toBe(10_000);
});

test("they come from the chance that is handed in, with at least 60 bits of it", () => {
  const asked: number[] = [];
  const filled = (byte: number) =>
    createIds(
      () => 0,
      (bytes) => void asked.push(bytes.fill(byte).length),
    ).message();
  expect(filled(0)).toBe(filled(0));
  const distinct = new Set(Array.from({ length: 256 }, (_, byte) => filled(byte)));
  const bitsPerByte = Math.log2(distinct.size);
  expect((asked[0] ?? 0) * bitsPerByte).toBeGreaterThanOrEqual(60);
});

test("they rise with the time, whatever chance says", () => {
  const times = [0, 1, 31, 32, 1_000, 1_795_000_000_000, 1_795_000_000_001, 30_000_000_000_000];
  let chance = 255;
  const made = times.map((at) =>
    createIds(
      () => at,
      (bytes) => void bytes.fill((chance -= 30)),
    ).message(),
  );
  expect(made.toSorted()).toEqual(made);
});

test("the machine's chance lies from 0 to below 1", () => {
  for (let count = 0; count < 100; count++) {
    const drawn = systemRandom();
    expect(drawn >= 0 && drawn < 1).toBe(true);
  }
});

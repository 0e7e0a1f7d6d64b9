import { expect, test } from "bun:test";
import type { Permit } from "../../src/providers/permit.ts";
import type { Candidate } from "../../src/providers/candidate.ts";
import { Gatehouse, candidate } from "./gatehouse.ts";

const a = candidate("a");
const b = candidate("b");

interface Suspect {
  permit: Permit<Candidate> | undefined;
  waits: string[];
  leave: () => void;
}

/** Somebody whose turn was in flight when the daemon crashed. */
async function suspect(house: Gatehouse, wanted: Candidate): Promise<Suspect> {
  const leaving = new AbortController();
  const came: Suspect = { permit: undefined, waits: [], leave: () => leaving.abort() };
  const admitted = house.gate.admit({
    candidates: () => [wanted],
    isSuspect: true,
    signal: leaving.signal,
    onWait: (reason) => came.waits.push(reason),
  });
  void admitted.then((permit) => (came.permit = permit));
  await house.clock.settle();
  return came;
}

async function setup(): Promise<Gatehouse> {
  const house = new Gatehouse();
  await house.prove(a, b);
  return house;
}

test("of those in flight at a crash one at a time goes through, whatever the provider, in the order of asking", async () => {
  const house = await setup();
  const all = [await suspect(house, a), await suspect(house, b), await suspect(house, a)];
  for (const [at, each] of all.entries()) {
    expect(all.map(({ permit }) => permit !== undefined)).toEqual(all.map((_, index) => index <= at));
    each.permit?.release({ kind: "none" });
    await house.clock.settle();
  }
  expect(all.map(({ waits }) => waits)).toEqual([[], ["slot"], ["slot"]]);
});

test("others do not wait for them", async () => {
  const house = await setup();
  await suspect(house, a);
  await suspect(house, a);
  expect((await house.come(a)).permit).toBeDefined();
  expect((await house.come(b)).permit).toBeDefined();
});

test("one that waits for its park keeps no other from its turn", async () => {
  const house = await setup();
  await house.end(await house.come(a), {
    kind: "failed",
    failure: { kind: "rate_limited", message: "later" },
  });
  const parked = await suspect(house, a);
  expect([parked.permit, parked.waits]).toEqual([undefined, ["rate_limited"]]);
  const other = await suspect(house, b);
  expect(other.permit).toBeDefined();
  parked.leave();
});

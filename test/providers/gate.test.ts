import { describe, expect, test } from "bun:test";
import { Gatehouse, answered, candidate, refused } from "./gatehouse.ts";

const a = candidate("a");
const b = candidate("b");

describe("slots", () => {
  test("go in the order of asking, whatever model is asked for", async () => {
    const house = new Gatehouse();
    house.limits.turnsPerProvider = 1;
    const other = candidate("a", { model: "other" });
    await house.prove(a, other);
    const running = await house.come(a);
    const waiting = [await house.come(other), await house.come(a), await house.come(other)];
    expect(waiting.map(({ waits }) => waits)).toEqual([[["slot", null]], [["slot", null]], [["slot", null]]]);
    let last = running;
    for (const next of waiting) {
      expect(next.permit).toBeUndefined();
      await house.end(last);
      expect(next.permit).toBeDefined();
      expect(house.gate.inFlight("a")).toBe(1);
      last = next;
    }
  });

  test("are had at once where nobody waits for them, else not at all", async () => {
    const house = new Gatehouse();
    house.limits.turnsPerProvider = 1;
    await house.prove(a);
    const permit = house.gate.admitNow([a]);
    expect(permit?.candidate).toBe(a);
    expect(house.gate.inFlight("a")).toBe(1);
    expect(house.gate.admitNow([a])).toBeUndefined();
    const waiting = await house.come(a);
    permit?.release({ kind: "none" });
    await house.clock.settle();
    expect(waiting.permit).toBeDefined();
    await house.end(waiting, refused("rate_limited"));
    expect(house.gate.admitNow([a])).toBeUndefined();
    expect(house.told.filter(({ type }) => type !== "provider.parked")).toEqual([]);
  });

  test("are counted by provider: another one has its own", async () => {
    const house = new Gatehouse();
    house.limits.turnsPerProvider = 1;
    await house.prove(a, b);
    await house.come(a);
    expect((await house.come(b)).permit).toBeDefined();
    expect(house.gate.totalInFlight()).toBe(2);
  });

  test("that are added take effect at once", async () => {
    const house = new Gatehouse();
    house.limits.turnsPerProvider = 1;
    await house.prove(a);
    await house.come(a);
    const waiting = [await house.come(a), await house.come(a), await house.come(a)];
    house.limits.turnsPerProvider = 3;
    house.gate.reconsider();
    await house.clock.settle();
    expect(waiting.map(({ permit }) => permit !== undefined)).toEqual([true, true, false]);
  });

  test("that are taken away let running turns end and nobody else in until there are few enough", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    const running = [await house.come(a), await house.come(a), await house.come(a)];
    house.limits.turnsPerProvider = 1;
    const waiting = await house.come(a);
    for (const each of running) {
      expect(waiting.permit).toBeUndefined();
      await house.end(each);
    }
    expect(waiting.permit).toBeDefined();
  });

  test("are given back once, however often that is said", async () => {
    const house = new Gatehouse();
    house.limits.turnsPerProvider = 1;
    await house.prove(a);
    const running = await house.come(a);
    const waiting = [await house.come(a), await house.come(a)];
    await house.end(running);
    await house.end(running, refused("auth"));
    expect(waiting.map(({ permit }) => permit !== undefined)).toEqual([true, false]);
    expect(house.parks.size).toBe(0);
  });

  test("are not given to somebody who has left", async () => {
    const house = new Gatehouse();
    house.limits.turnsPerProvider = 1;
    await house.prove(a);
    const running = await house.come(a);
    const leaves = await house.come(a);
    const stays = await house.come(a);
    leaves.leave();
    await house.clock.settle();
    expect(leaves.isGone).toBe(true);
    await house.end(running);
    expect([leaves.permit, stays.permit !== undefined]).toEqual([undefined, true]);
  });
});

describe("canaries", () => {
  test("a binding that is not proven is tried by one turn; then all go", async () => {
    const house = new Gatehouse();
    const canary = await house.come(a);
    const waiting = [await house.come(a), await house.come(a)];
    expect(waiting.map(({ waits }) => waits)).toEqual([[["canary", null]], [["canary", null]]]);
    await house.end(canary);
    expect(waiting.every(({ permit }) => permit !== undefined)).toBe(true);
  });

  test("after a canary that was no verdict the next one is tried", async () => {
    const house = new Gatehouse();
    const canary = await house.come(a);
    const waiting = [await house.come(a), await house.come(a)];
    await house.end(canary, { kind: "none" });
    expect(waiting.map(({ permit }) => permit !== undefined)).toEqual([true, false]);
  });

  test("the canary of one binding keeps nobody from another of the same provider", async () => {
    const house = new Gatehouse();
    await house.come(a);
    expect((await house.come(candidate("a", { key: "other" }))).permit).toBeDefined();
    expect((await house.come(candidate("a", { model: "other" }))).permit).toBeDefined();
  });

  test("a proven binding that is refused is parked, not held", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    const turn = await house.come(a);
    expect(turn.permit?.release(refused("auth"))).toMatchObject({ kind: "parked" });
    expect(house.holds.size).toBe(0);
  });
});

describe("parks", () => {
  test("keep everybody of the endpoint and key back for as long as the vendor asked", async () => {
    const house = new Gatehouse();
    const other = candidate("a", { model: "other" });
    await house.prove(a, other);
    const turn = await house.come(a);
    const until = house.clock.now() + 7000;
    expect(turn.permit?.release(refused("rate_limited", 7000))).toEqual({ kind: "parked", until });
    const waiting = [await house.come(a), await house.come(other)];
    expect(waiting.map(({ waits }) => waits)).toEqual([[["rate_limited", until]], [["rate_limited", until]]]);
    await house.clock.advance(6999);
    expect(waiting.some(({ permit }) => permit)).toBe(false);
    await house.clock.advance(1);
    expect(waiting.map(({ permit }) => permit !== undefined)).toEqual([true, false]);
  });

  test("keep nobody back who has another key or goes to another endpoint", async () => {
    const house = new Gatehouse();
    const otherKey = candidate("a", { key: "other" });
    await house.prove(a, otherKey, b);
    await house.end(await house.come(a), refused("rate_limited", 7000));
    expect((await house.come(otherKey)).permit).toBeDefined();
    expect((await house.come(b)).permit).toBeDefined();
  });

  test("for an unknown model keep back that model alone", async () => {
    const house = new Gatehouse();
    const other = candidate("a", { model: "other" });
    await house.prove(a, other);
    await house.end(await house.come(a), refused("not_found"));
    expect((await house.come(a)).waits).toEqual([["not_found", house.clock.now() + 900_000]]);
    expect((await house.come(other)).permit).toBeDefined();
    expect(house.told.at(-1)).toMatchObject({ type: "provider.parked", data: { model: "m" } });
  });

  test("end with one turn that goes first: where it is well, all go", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    await house.end(await house.come(a), refused("rate_limited"));
    const waiting = [await house.come(a), await house.come(a), await house.come(a)];
    await house.clock.advance(1000);
    const [probe, ...others] = waiting;
    expect(others.map(({ waits }) => waits.at(-1))).toEqual([
      ["rate_limited", null],
      ["rate_limited", null],
    ]);
    if (!probe) throw new Error("nobody came");
    await house.end(probe);
    expect(others.every(({ permit }) => permit !== undefined)).toBe(true);
    expect(house.told.at(-1)).toEqual({
      type: "provider.ready",
      data: { provider: "a", endpoint: "http://a.example", model: null },
    });
    expect(house.parks.size).toBe(0);
  });

  test("last longer each time the first turn is refused again", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    await house.end(await house.come(a), refused("rate_limited"));
    for (const waitMs of [1000, 4000, 16_000]) {
      const probe = await house.come(a);
      await house.clock.advance(waitMs - 1);
      expect(probe.permit).toBeUndefined();
      await house.clock.advance(1);
      expect(probe.permit).toBeDefined();
      await house.end(probe, refused("rate_limited"));
    }
    expect(house.told.filter(({ type }) => type === "provider.parked")).toHaveLength(4);
  });

  test("are not made longer by turns that were under way when they began, unless these say so", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    const running = [await house.come(a), await house.come(a), await house.come(a)];
    const startedAt = house.clock.now();
    for (const turn of running) await house.end(turn, refused("rate_limited"));
    expect([...house.parks.values()]).toMatchObject([{ step: 0, until: startedAt + 1000 }]);
    expect(house.told.filter(({ type }) => type === "provider.parked")).toHaveLength(1);
  });

  test("take the later time, and its reason, of turns that were under way", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    const [one, two, three] = [await house.come(a), await house.come(a), await house.come(a)];
    await house.clock.advance(10);
    await house.end(one, refused("rate_limited", 5000));
    await house.clock.advance(10);
    await house.end(two, refused("rate_limited", 1000));
    const [park] = house.parks.values();
    expect(park?.until).toBe(house.clock.now() + 4990);
    await house.end(three, refused("auth"));
    expect([...house.parks.values()]).toMatchObject([{ reason: "auth", until: house.clock.now() + 900_000 }]);
  });

  test("are tried by another where the first turn was aborted", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    await house.end(await house.come(a), refused("rate_limited"));
    const [probe, next] = [await house.come(a), await house.come(a)];
    await house.clock.advance(1000);
    await house.end(probe, { kind: "none" });
    expect(next.permit).toBeDefined();
    expect(house.parks.size).toBe(1);
  });

  test("end too where the first turn fails by its own fault: the endpoint answers", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    await house.end(await house.come(a), refused("rate_limited"));
    const [probe, next] = [await house.come(a), await house.come(a)];
    await house.clock.advance(1000);
    await house.end(probe, refused("invalid_request"));
    expect(next.permit).toBeDefined();
    expect(house.parks.size).toBe(0);
  });

  test("of an endpoint end where the first turn finds its model unknown; that model is parked", async () => {
    const house = new Gatehouse();
    const other = candidate("a", { model: "other" });
    await house.prove(a, other);
    await house.end(await house.come(a), refused("rate_limited"));
    const probe = await house.come(a);
    await house.clock.advance(1000);
    await house.end(probe, refused("not_found"));
    const together = [await house.come(other), await house.come(other)];
    expect(together.every(({ permit }) => permit !== undefined)).toBe(true);
    expect([...house.parks.values()]).toMatchObject([{ reason: "not_found", model: "m" }]);
  });

  test("of a model hold it back also where its endpoint was parked meanwhile and is no longer", async () => {
    const house = new Gatehouse();
    const other = candidate("a", { model: "other" });
    await house.prove(a, other);
    await house.end(await house.come(a), refused("not_found"));
    await house.end(await house.come(other), refused("rate_limited"));
    const [unknown, known] = [await house.come(a), await house.come(other)];
    await house.clock.advance(1000);
    expect(unknown.permit).toBeUndefined();
    expect(unknown.waits.at(-1)?.[0]).toBe("not_found");
    expect(known.permit).toBeDefined();
  });

  test("survive a restart with their time", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    await house.end(await house.come(a), refused("rate_limited", 60_000));
    await house.clock.advance(20_000);
    house.restart();
    const waiting = await house.come(a);
    await house.clock.advance(39_999);
    expect(waiting.permit).toBeUndefined();
    await house.clock.advance(1);
    expect(waiting.permit).toBeDefined();
  });

  test("that are released are tried at once, by one turn", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    await house.end(await house.come(a), refused("auth"));
    const waiting = [await house.come(a), await house.come(a)];
    house.gate.releaseParks();
    await house.clock.settle();
    expect(waiting.map(({ permit }) => permit !== undefined)).toEqual([true, false]);
  });

  test("say how many wait for them", async () => {
    const house = new Gatehouse();
    await house.prove(a, b);
    await house.end(await house.come(a), refused("rate_limited", 60_000));
    await house.come(a);
    await house.come(a);
    await house.come(b);
    expect(house.gate.parks()).toMatchObject([{ provider: "a", reason: "rate_limited", sessions: 2 }]);
  });

  test("leave no timer where nobody waits for them", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    await house.end(await house.come(a), refused("rate_limited", 60_000));
    const waiting = await house.come(a);
    expect(house.clock.waiting).toBe(1);
    waiting.leave();
    house.gate.reconsider();
    expect(house.clock.waiting).toBe(0);
  });
});

describe("fallbacks", () => {
  test("are taken in order while what comes before is parked", async () => {
    const house = new Gatehouse();
    const c = candidate("c");
    await house.prove(a, b, c);
    expect((await house.come(a, b, c)).permit?.candidate).toBe(a);
    await house.end(await house.come(a), refused("rate_limited", 60_000));
    expect((await house.come(a, b, c)).permit?.candidate).toBe(b);
    await house.end(await house.come(b), refused("rate_limited", 60_000));
    expect((await house.come(a, b, c)).permit?.candidate).toBe(c);
    await house.clock.advance(60_000);
    expect((await house.come(a, b, c)).permit?.candidate).toBe(a);
  });

  test("are taken where the chosen one is held", async () => {
    const house = new Gatehouse();
    await house.prove(b);
    await house.end(await house.come(a), refused("auth"));
    expect((await house.come(a, b)).permit?.candidate).toBe(b);
  });

  test("are not taken for want of a slot, nor while the chosen one is tried", async () => {
    const house = new Gatehouse();
    house.limits.turnsPerProvider = 1;
    await house.prove(b);
    const canary = await house.come(a, b);
    expect(canary.permit?.candidate).toBe(a);
    expect((await house.come(a, b)).waits).toEqual([["canary", null]]);
    await house.end(canary);
    expect((await house.come(a, b)).waits).toEqual([["slot", null]]);
  });

  test("that have no slot either leave the turn waiting for the chosen one", async () => {
    const house = new Gatehouse();
    house.limits.turnsPerProvider = 1;
    await house.prove(a, b);
    await house.end(await house.come(a), refused("rate_limited", 60_000));
    const busy = await house.come(b);
    const waiting = await house.come(a, b);
    expect(waiting.waits).toEqual([["rate_limited", house.clock.now() + 60_000]]);
    await house.end(busy);
    expect(waiting.permit?.candidate).toBe(b);
  });
});

describe("the budget", () => {
  test("keeps everybody back until midnight, UTC, and says so once", async () => {
    const house = new Gatehouse();
    house.limits.tokensPerDay = 100;
    await house.prove(a);
    await house.end(await house.come(a), answered(100));
    const waiting = [await house.come(a), await house.come(b)];
    const until = Date.parse("2026-03-02T00:00:00.000Z");
    expect(waiting.map(({ waits }) => waits)).toEqual([[["budget", until]], [["budget", until]]]);
    expect(house.told.filter(({ type }) => type === "budget.reached")).toEqual([
      { type: "budget.reached", data: { limit: 100, used: 100, until: "2026-03-02T00:00:00.000Z" } },
    ]);
    await house.clock.advance(until - house.clock.now() - 1);
    expect(waiting.some(({ permit }) => permit)).toBe(false);
    await house.clock.advance(1);
    expect(waiting.every(({ permit }) => permit !== undefined)).toBe(true);
  });

  test("that is raised lets them go at once", async () => {
    const house = new Gatehouse();
    house.limits.tokensPerDay = 100;
    await house.prove(a);
    await house.end(await house.come(a), answered(150));
    const waiting = await house.come(a);
    house.limits.tokensPerDay = 151;
    house.gate.reconsider();
    await house.clock.settle();
    expect(waiting.permit).toBeDefined();
  });
});

test("a gate that is closed lets nobody through, and says that it drains", async () => {
  const house = new Gatehouse();
  house.limits.turnsPerProvider = 1;
  await house.prove(a);
  const running = await house.come(a);
  const waiting = await house.come(a);
  house.gate.close();
  await house.end(running);
  expect(waiting.waits).toEqual([
    ["slot", null],
    ["drain", null],
  ]);
  expect((await house.come(b)).waits).toEqual([["drain", null]]);
  expect(house.clock.waiting).toBe(0);
});

test("who is sent away before he came gets no permit", async () => {
  const house = new Gatehouse();
  const permit = await house.gate.admit({
    candidates: () => [a],
    signal: AbortSignal.abort(),
    onWait: () => {},
  });
  expect(permit).toBeUndefined();
  expect(house.gate.totalInFlight()).toBe(0);
});

describe("whoever was let through and has not started", () => {
  test("may not where the slots have become fewer", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    const [first, second] = [await house.come(a), await house.come(a)];
    expect([first.permit?.isGood(), second.permit?.isGood()]).toEqual([true, true]);
    house.limits.turnsPerProvider = 1;
    expect(second.permit?.isGood()).toBe(false);
    await house.end(first);
    expect(second.permit?.isGood()).toBe(true);
  });

  test("may not where another has been refused so that all are kept back", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    const [first, second] = [await house.come(a), await house.come(a)];
    await house.end(first, refused("rate_limited", 5000));
    expect(second.permit?.isGood()).toBe(false);
  });

  test("may not at the end of a park that began since: one turn goes first, and that is whoever asks then", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    const [first, second] = [await house.come(a), await house.come(a)];
    await house.end(first, refused("rate_limited", 5000));
    await house.clock.advance(5000);
    expect(second.permit?.isGood()).toBe(false);
    const probe = await house.come(a);
    expect(probe.permit?.isGood()).toBe(true);
    expect(second.permit?.isGood()).toBe(false);
    await house.end(probe);
    expect(second.permit?.isGood()).toBe(true);
  });

  test("may not in place of what is no longer kept back", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    await house.end(await house.come(a), refused("rate_limited", 5000));
    const fallback = await house.come(a, b);
    expect([fallback.permit?.candidate, fallback.permit?.isGood()]).toEqual([b, true]);
    await house.clock.advance(5000);
    expect(fallback.permit?.isGood()).toBe(false);
  });

  test("may try what is held, as the one whose time it is", async () => {
    const house = new Gatehouse();
    await house.end(await house.come(a), refused("unreachable"));
    expect(house.guard.holdOver(a.config)?.tryAt).not.toBeNull();
    await house.clock.advance(10_000);
    const trial = await house.come(a);
    expect(trial.permit?.isGood()).toBe(true);
  });
});

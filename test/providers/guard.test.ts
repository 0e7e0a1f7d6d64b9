import { describe, expect, test } from "bun:test";
import { Gatehouse, answered, candidate, refused } from "./gatehouse.ts";

const a = candidate("a");

describe("a binding", () => {
  test("is proven by a turn that ended well, and stays so over a restart", async () => {
    const house = new Gatehouse();
    expect(house.guard.isProven(a.config)).toBe(false);
    await house.prove(a);
    expect(house.proven).toMatchObject([{ provider: "a", endpoint: "http://a.example", model: "m" }]);
    expect(JSON.stringify(house.proven)).not.toContain('"k"');
    house.restart();
    expect(house.guard.isProven(a.config)).toBe(true);
  });

  test("is the same under another name, and another with another key or model", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    expect(house.guard.isProven({ ...a.config, temperature: 1, maxOutputTokens: 5 })).toBe(true);
    expect(house.guard.isProven({ ...a.config, key: "other" })).toBe(false);
    expect(house.guard.isProven({ ...a.config, model: "other" })).toBe(false);
    expect(house.guard.isProven({ ...a.config, endpoint: "http://b.example" })).toBe(false);
  });

  test.each(["auth", "not_found", "unreachable"] as const)(
    "is held when its canary ends in %s",
    async (kind) => {
      const house = new Gatehouse();
      const canary = await house.come(a);
      expect(canary.permit?.release(refused(kind))).toEqual({ kind: "held" });
      expect(house.guard.holdOver(a.config)).toMatchObject({ reason: kind, goesBack: true, step: 0 });
      expect(house.changes).toBe(1);
      expect(house.told).toEqual([
        {
          type: "settings.held",
          data: {
            provider: "a",
            model: "m",
            endpoint: "http://a.example",
            reason: kind,
            sessions: 3,
            runningUnder: null,
          },
        },
      ]);
    },
  );

  test.each(["rate_limited", "overloaded", "context_overflow", "invalid_request", "empty_reply"] as const)(
    "is not held when its canary ends in %s",
    async (kind) => {
      const house = new Gatehouse();
      await house.end(await house.come(a), refused(kind));
      expect(house.guard.holdOver(a.config)).toBeUndefined();
      expect(house.guard.isProven(a.config)).toBe(false);
    },
  );

  test("is not held with the guard off: it is parked", async () => {
    const house = new Gatehouse();
    house.mode = "off";
    await house.end(await house.come(a), refused("auth"));
    expect([house.holds.size, house.parks.size]).toEqual([0, 1]);
  });
});

describe("a hold", () => {
  test("for a wrong key is not tried by itself", async () => {
    const house = new Gatehouse();
    await house.end(await house.come(a), refused("auth"));
    const waiting = await house.come(a);
    expect(waiting.waits).toEqual([["auth", null]]);
    await house.clock.advance(86_400_000);
    expect(waiting.permit).toBeUndefined();
    expect(house.clock.waiting).toBe(0);
  });

  test("for a server that is not there is tried by one turn, each time later, and told once", async () => {
    const house = new Gatehouse();
    await house.end(await house.come(a), refused("unreachable"));
    const waiting = [await house.come(a), await house.come(a), await house.come(a)];
    const triedAfter: number[] = [];
    for (let time = house.clock.now(), trial = 0; trial < 3; trial++) {
      await house.clock.advance((house.clock.nextAt ?? 0) - house.clock.now());
      const trying = waiting.filter(({ permit }) => permit);
      expect(trying).toHaveLength(1);
      triedAfter.push(house.clock.now() - time);
      time = house.clock.now();
      for (const each of trying) {
        await house.end(each, refused("unreachable"));
        waiting.splice(waiting.indexOf(each), 1, await house.come(a));
      }
    }
    expect(triedAfter).toEqual([1000, 4000, 16_000]);
    expect(house.told.filter(({ type }) => type === "settings.held")).toHaveLength(1);
  });

  test("ends when a turn under it ended well, and says so", async () => {
    const house = new Gatehouse();
    await house.end(await house.come(a), refused("unreachable"));
    const waiting = [await house.come(a), await house.come(a)];
    await house.clock.advance(1000);
    for (const each of waiting.filter(({ permit }) => permit)) await house.end(each, answered());
    expect(house.holds.size).toBe(0);
    expect(house.told.at(-1)?.type).toBe("settings.released");
    expect(waiting.every(({ permit }) => permit)).toBe(true);
  });

  test("keeps its time and its steps over a restart", async () => {
    const house = new Gatehouse();
    await house.end(await house.come(a), refused("unreachable"));
    await house.clock.advance(400);
    house.restart();
    const waiting = await house.come(a);
    await house.clock.advance(599);
    expect(waiting.permit).toBeUndefined();
    await house.clock.advance(1);
    expect(waiting.permit).toBeDefined();
    await house.end(waiting, refused("unreachable"));
    expect(house.guard.holdOver(a.config)).toMatchObject({ step: 1 });
  });

  test("that changes its reason is told again", async () => {
    const house = new Gatehouse();
    await house.end(await house.come(a), refused("unreachable"));
    const trying = await house.come(a);
    await house.clock.advance(1000);
    await house.end(trying, refused("auth"));
    expect(house.guard.holdOver(a.config)).toMatchObject({ reason: "auth", tryAt: null });
    expect(house.told.filter(({ type }) => type === "settings.held")).toHaveLength(2);
  });

  test("is tried by one of those who went back, when its time has come", async () => {
    const house = new Gatehouse();
    await house.end(await house.come(a), refused("unreachable"));
    const { guard, clock } = house;
    expect(guard.takeTrial(a.config, "s1", clock.now() + 999)).toBe(false);
    expect(guard.takeTrial(a.config, "s1", clock.now() + 1000)).toBe(true);
    expect(guard.takeTrial(a.config, "s1", clock.now() + 1001)).toBe(true);
    expect(guard.takeTrial(a.config, "s2", clock.now() + 1001)).toBe(false);
    expect(guard.isTrying(a.config, "s1")).toBe(true);
    guard.abandonTrials("s1");
    expect(guard.takeTrial(a.config, "s2", clock.now() + 1001)).toBe(true);
  });

  test("released by hand and refused again sends nobody back; a turn that ends well forgets that", async () => {
    const house = new Gatehouse();
    await house.end(await house.come(a), refused("auth"));
    house.guard.releaseAll();
    expect(house.guard.holdOver(a.config)).toBeUndefined();
    await house.end(await house.come(a), refused("auth"));
    expect(house.guard.holdOver(a.config)?.goesBack).toBe(false);
    house.restart();
    expect(house.guard.holdOver(a.config)?.goesBack).toBe(false);
    house.guard.releaseAll();
    await house.prove(a);
    expect(house.holds.size).toBe(0);
  });

  test("of what nobody wants any more is not made, and a canary under way ends the one there is", async () => {
    const house = new Gatehouse();
    const canary = await house.come(a);
    house.isWanted = false;
    expect(canary.permit?.release(refused("auth"))).toEqual({ kind: "held" });
    expect([house.holds.size, house.parks.size, house.told.length]).toEqual([0, 0, 0]);
    house.isWanted = true;
    await house.end(await house.come(a), refused("unreachable"));
    const trying = await house.come(a);
    await house.clock.advance(1000);
    house.isWanted = false;
    await house.end(trying, refused("unreachable"));
    expect(house.holds.size).toBe(0);
    expect(house.told.at(-1)?.type).toBe("settings.released");
  });

  test("of what nobody wants ends", async () => {
    const house = new Gatehouse();
    await house.end(await house.come(a), refused("auth"));
    house.guard.forgetUnwanted();
    expect(house.holds.size).toBe(1);
    house.isWanted = false;
    house.guard.forgetUnwanted();
    expect(house.holds.size).toBe(0);
    expect(house.told.at(-1)?.type).toBe("settings.released");
  });
});

describe("a restart within a process", () => {
  test("goes on from what has been released since the new one was made", async () => {
    const house = new Gatehouse();
    await house.prove(a);
    await house.end(await house.come(candidate("a", { model: "other" })), refused("auth"));
    await house.end(await house.come(a), refused("rate_limited", 5000));
    const { gate, guard } = house;
    house.restart();
    guard.releaseAll();
    gate.releaseParks();
    house.guard.goOnFrom(guard);
    house.gate.goOnFrom(gate);
    expect([...house.guard.holds()]).toEqual([]);
    expect([...house.gate.parks()]).toMatchObject([{ until: house.clock.now() }]);
  });

  test("knows what was released by hand: where it is refused again, sessions wait", async () => {
    const house = new Gatehouse();
    const other = candidate("a", { model: "other" });
    await house.end(await house.come(other), refused("auth"));
    const { guard } = house;
    guard.releaseAll();
    house.restart();
    house.guard.goOnFrom(guard);
    await house.end(await house.come(other), refused("auth"));
    expect(house.guard.holdOver(other.config)).toMatchObject({ goesBack: false });
  });
});

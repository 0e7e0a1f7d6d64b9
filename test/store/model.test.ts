import { afterEach, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { AcceptResult } from "../../src/store/inbox.ts";
import type { Store } from "../../src/store/store.ts";
import { closeStores, openInMemory } from "./disk-store.ts";
import { Holder } from "./holder.ts";
import {
  holders,
  InboxModel,
  leaseOf,
  maxAttempts,
  maxPending,
  type ModelTurn,
  type Operation,
} from "./inbox-model.ts";
import { accept, noon, type StoreUnderTest } from "./store-under-test.ts";

afterEach(closeStores);

const session = fc.constantFrom("a", "b");
const holder = fc.nat({ max: holders.length - 1 });
const stranger = fc.option(holder, { nil: null, freq: 4 });
const message = fc.nat({ max: 30 });
const turn = fc.nat({ max: 20 });
const key = fc.option(fc.constantFrom("k", "l"), { nil: null, freq: 2 });
const limit = fc.integer({ min: 1, max: 3 });
const seldom = fc.integer({ min: 0, max: 9 }).map((drawn) => drawn === 0);
const kind = <K extends string>(...names: K[]) => fc.constantFrom(...names);

/** Posting, claiming and ending are asked for more often than what rarely happens. */
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: kind("post"), session, count: fc.integer({ min: 1, max: 3 }), key }),
  },
  { weight: 8, arbitrary: fc.record({ kind: kind("claim"), session, holder, limit, isStale: seldom }) },
  { weight: 8, arbitrary: fc.record({ kind: kind("done", "fail", "overflow"), turn, stranger }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kind("putBack"),
      turn,
      stranger,
      isCounted: fc.boolean(),
      isAlone: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind("cancel"), message }) },
  { weight: 1, arbitrary: fc.record({ kind: kind("release"), session, holder }) },
  { weight: 2, arbitrary: fc.record({ kind: kind("recover"), boot: fc.constantFrom("boot_1", "boot_2") }) },
  { weight: 1, arbitrary: fc.record({ kind: kind("reset", "delete"), session }) },
);

/** What is asked for in one turn of the event loop shares a transaction. */
const together = fc.array(fc.array(operation, { minLength: 1, maxLength: 6 }), { maxLength: 25 });

/** What an operation means as the model stands when it is asked for. */
interface Meant {
  /** Of the post. */
  ids: readonly string[];
  message: string;
  turn: ModelTurn;
}

function meant(model: InboxModel, one: Operation): Meant {
  return {
    ids: one.kind === "post" ? model.nextIds(one.count) : [],
    message: model.messageAt("message" in one ? one.message : 0),
    turn: model.turnAt("turn" in one ? one.turn : 0),
  };
}

/** Asks the store for what the model was asked for. */
async function ask(store: Store, one: Operation, { ids, message, turn }: Meant): Promise<unknown> {
  const holderOf = (who: number, where: string): Holder => new Holder(store, leaseOf(who, where));
  switch (one.kind) {
    case "post": {
      const messages = ids.map((id) => ({ id, content: id, retryOf: null }));
      const idempotency = one.key === null ? null : { key: one.key, hash: String(one.count) };
      return postAnswer(await accept(store, one.session, [], { messages, idempotency, maxPending }));
    }
    case "claim": {
      const more = { newestRevision: one.isStale ? 0 : 1, limit: one.limit };
      const claimed = await holderOf(one.holder, one.session).claimAll(one.session, more);
      return typeof claimed === "string" ? claimed : claimed.map(({ id }) => id).join();
    }
    case "done":
    case "overflow":
    case "fail": {
      const ending = holderOf(one.stranger ?? turn.holder, turn.session);
      const rollover = one.kind === "overflow" ? { contextFrom: 1 } : null;
      const ended =
        one.kind === "fail" ? ending.failAll(turn.ids, noon) : ending.doneAll(turn.ids, { rollover });
      return (await ended) !== undefined;
    }
    case "putBack": {
      const { isCounted, isAlone } = one;
      const returning = holderOf(one.stranger ?? turn.holder, turn.session);
      return (await returning.putBackAll(turn.ids, { isCounted, isAlone })) !== undefined;
    }
    case "cancel":
      return (await store.messages.cancel(message, noon))?.isCancelled;
    case "release":
      return store.messages.release(leaseOf(one.holder, one.session), noon);
    case "recover":
      return store.messages.recover(one.boot, maxAttempts, noon);
    case "reset":
      return store.messages.resetAttempts(one.session);
    case "delete":
      return store.sessions.delete(one.session, noon);
  }
}

function postAnswer(result: AcceptResult): string {
  if (result.kind === "conflict" || result.kind === "full") return result.kind;
  return `${result.kind} ${result.messages.map(({ id }) => id).join()}`;
}

/** Everything of the store that the model knows too. */
async function stateOf(store: Store): Promise<unknown> {
  const { items } = await store.messages.list({}, { limit: 1000, cursor: null });
  const sessions = await store.sessions.list({}, { limit: 1000, cursor: null });
  return {
    messages: items.map(({ id, session, seq, status, attempts, repliedBy }) => {
      return { id, session, seq, status, attempts, repliedBy };
    }),
    sessions: Object.fromEntries(
      sessions.items.map(({ id, pending, epoch, turns }) => [id, { pending, epoch, turns }]),
    ),
    pending: (await store.totals()).pending,
    withPending: (await store.sessions.withPending()).toSorted(),
  };
}

function expectedState(model: InboxModel): unknown {
  const ids = [...model.sessions.keys()];
  return {
    messages: model.messages.map(({ id, session, seq, status, attempts, repliedBy }) => {
      return { id, session, seq, status, attempts, repliedBy };
    }),
    sessions: Object.fromEntries(
      [...model.sessions].map(([id, { epoch, turns }]) => {
        return [id, { pending: model.pendingIn(id).length, epoch, turns }];
      }),
    ),
    pending: ids.reduce((sum, id) => sum + model.pendingIn(id).length, 0),
    withPending: ids.filter((id) => model.pendingIn(id).length > 0).toSorted(),
  };
}

/** How often each message was told to have ended. */
function endsTold({ published }: StoreUnderTest): Map<string, number> {
  const ends = new Map<string, number>();
  for (const { type, data } of published.flat())
    if (["message.done", "message.failed", "message.cancelled"].includes(type)) {
      const { message: id }: { message: string } = JSON.parse(data);
      ends.set(id, (ends.get(id) ?? 0) + 1);
    }
  return ends;
}

test("whatever is asked, in whatever order and company, the store answers and holds what the model does", async () => {
  await fc.assert(
    fc.asyncProperty(together, async (groups) => {
      const under = openInMemory();
      const model = new InboxModel();
      const { store } = under;
      const first = { at: noon, changedKeys: [], fingerprint: "f", text: null };
      await store.revisions.record({ ...first, source: "start" }, () => []);
      for (const group of groups) {
        const expected: unknown[] = [];
        const asked = group.map((one) => {
          const what = meant(model, one);
          expected.push(model.apply(one));
          return ask(store, one, what);
        });
        expect(await Promise.all(asked)).toEqual(expected);
      }
      expect(await stateOf(store)).toEqual(expectedState(model));
      const told = endsTold(under);
      for (const [id, count] of told) expect([id, count]).toEqual([id, 1]);
      for (const [id, count] of model.ends) expect([id, told.get(id)]).toEqual([id, count]);
      await store.close();
    }),
    { numRuns: 150 },
  );
});

import { afterEach, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { AcceptResult, Store } from "../../src/store/store.ts";
import { closeStores, openInMemory } from "./disk-store.ts";
import { Holder } from "./holder.ts";
import { InboxModel, leases, maxAttempts, maxPending, type Operation } from "./inbox-model.ts";
import { accept, noon, type StoreUnderTest } from "./store-under-test.ts";

afterEach(closeStores);

const session = fc.constantFrom("a", "b");
const holder = fc.nat({ max: leases.length - 1 });
const message = fc.nat({ max: 20 });
const key = fc.option(fc.constantFrom("k", "l"), { nil: null, freq: 2 });
const kind = <K extends string>(name: K) => fc.constant(name);

/** Posting, claiming and ending are asked for more often than what rarely happens. */
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: kind("post"), session, count: fc.integer({ min: 1, max: 3 }), key }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: kind("claim"),
      session,
      holder,
      isStale: fc.integer({ max: 9, min: 0 }).map((n) => n === 0),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom("done", "fail", "overflow"), message, holder }) },
  { weight: 4, arbitrary: fc.record({ kind: kind("putBack"), message, holder, isCounted: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: kind("cancel"), message }) },
  { weight: 1, arbitrary: fc.record({ kind: kind("release"), holder }) },
  { weight: 2, arbitrary: fc.record({ kind: kind("recover"), boot: fc.constantFrom("boot_1", "boot_2") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("reset", "delete"), session }) },
);

/** What is asked for in one turn of the event loop shares a transaction. */
const turns = fc.array(fc.array(operation, { minLength: 1, maxLength: 6 }), { maxLength: 25 });

/** Asks the store for what the model was asked for; `ids` are those that a post is sent with. */
async function ask(store: Store, operation: Operation, id: string, ids: readonly string[]): Promise<unknown> {
  switch (operation.kind) {
    case "post": {
      const messages = ids.map((one) => ({ id: one, content: one, retryOf: null }));
      const idempotency =
        operation.key === null ? null : { key: operation.key, hash: String(operation.count) };
      return postAnswer(await accept(store, operation.session, [], { messages, idempotency, maxPending }));
    }
    case "claim": {
      const more = { revision: operation.isStale ? 0 : 1 };
      const claimed = await new Holder(store, leases[operation.holder]).claim(operation.session, more);
      return typeof claimed === "string" ? claimed : claimed.id;
    }
    case "done":
    case "overflow": {
      const rollover = operation.kind === "overflow" ? { contextFrom: 1 } : null;
      return (await new Holder(store, leases[operation.holder]).done({ id }, { rollover })) !== undefined;
    }
    case "fail":
      return (await new Holder(store, leases[operation.holder]).fail({ id })) !== undefined;
    case "putBack": {
      const { isCounted } = operation;
      return (await new Holder(store, leases[operation.holder]).putBack({ id }, { isCounted })) !== undefined;
    }
    case "cancel":
      return (await store.messages.cancel(id, noon))?.isCancelled;
    case "release":
      return store.messages.release(new Holder(store, leases[operation.holder]).lease, noon);
    case "recover":
      return store.messages.recover(operation.boot, maxAttempts, noon);
    case "reset":
      return store.messages.resetAttempts(operation.session);
    case "delete":
      return store.sessions.delete(operation.session, noon);
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
    messages: items.map(({ id, session, seq, status, attempts }) => ({ id, session, seq, status, attempts })),
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
    messages: model.messages.map(({ id, session, seq, status, attempts }) => ({
      id,
      session,
      seq,
      status,
      attempts,
    })),
    sessions: Object.fromEntries(
      [...model.sessions].map(([id, { epoch, turns }]) => [
        id,
        { pending: model.pendingIn(id).length, epoch, turns },
      ]),
    ),
    pending: ids.reduce((sum, id) => sum + model.pendingIn(id).length, 0),
    withPending: ids.filter((id) => model.pendingIn(id).length > 0).toSorted(),
  };
}

/** How often each message was told to have ended, deletions aside. */
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
    fc.asyncProperty(turns, async (given) => {
      const under = openInMemory();
      const model = new InboxModel();
      const { store } = under;
      await store.revisions.record(
        { at: noon, source: "start", changedKeys: [], fingerprint: "f", text: null },
        () => [],
      );
      for (const turn of given) {
        const expected: unknown[] = [];
        const asked = turn.map((one) => {
          const id = "message" in one ? model.idAt(one.message) : "";
          const ids = one.kind === "post" ? model.nextIds(one.count) : [];
          expected.push(model.apply(one));
          return ask(store, one, id, ids);
        });
        expect(await Promise.all(asked)).toEqual(expected);
      }
      expect(await stateOf(store)).toEqual(expectedState(model));
      for (const [id, count] of endsTold(under)) expect([id, count]).toEqual([id, 1]);
      for (const id of model.ends.keys()) expect(endsTold(under).get(id)).toBe(1);
      await store.close();
    }),
    { numRuns: 150 },
  );
});

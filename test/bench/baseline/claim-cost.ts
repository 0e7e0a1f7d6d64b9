import { fillStore, openStore } from "../backlog.ts";

/**
 * What a claim costs in Segue's own store: `claim-cost FILE PENDING SESSIONS` fills the file, if it is not there yet,
 * with so many pending messages of so many sessions, takes messages one a commit, by turns of sessions that have one,
 * and puts each back. Durability \`normal\`, so that the disk has no share in it. Prints the median in microseconds.
 */
const [, , file = "", ...numbers] = process.argv;
const [pending = 0, sessions = 1] = numbers.map(Number);
const claims = 3000;
const warmUp = 500;

await fillStore(file, pending, sessions);
const store = openStore(file);
store.setDurability("normal");
const lease = { boot: "boot_1", generator: "gen_1" };
const how = { newestRevision: 0, revision: 0, limit: 1, provider: "echo", model: "echo", fallbackFrom: null };
const back = {
  lease,
  isCounted: false,
  error: null,
  retryAt: null,
  announcedAt: null,
  rollover: null,
} as const;
const withMessages = Math.min(sessions, pending);
const samples: number[] = [];
for (let claim = 0; claim < claims; claim++) {
  // A prime, so that neighbours do not follow each other.
  const session = `bench-${(claim * 7919) % withMessages}`;
  const startedAt = performance.now();
  const result = await store.messages.claim({ ...how, session, lease, at: 1, events: [] });
  samples.push((performance.now() - startedAt) * 1000);
  if (result.kind !== "claimed") throw new Error(`the claim in ${session} answered ${result.kind}`);
  const messages = result.messages.map(({ id }) => id);
  await store.messages.putBack({ ...back, messages, reason: "drain", isAlone: false, at: 1 });
}
await store.close();
const sorted = samples.slice(warmUp).sort((one, other) => one - other);
console.log(sorted[sorted.length >> 1]);

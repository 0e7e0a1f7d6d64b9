import type { Seen } from "./history.ts";
import { Answers } from "./model/answers.ts";
import { bindingName, Calls } from "./model/calls.ts";
import { Contexts } from "./model/contexts.ts";
import { Destinations } from "./model/destinations.ts";
import { Drains } from "./model/drains.ts";
import { Generators } from "./model/generators.ts";
import { SettingsInForce } from "./model/in-force.ts";
import { Inboxes, type Turn } from "./model/inboxes.ts";
import type { Judge, StoredEvent } from "./model/judge.ts";
import { Keys } from "./model/keys.ts";
import { Outcomes } from "./model/outcomes.ts";
import { type Pair, Pairing } from "./model/pairing.ts";
import { Readers } from "./model/readers.ts";
import { Replies } from "./model/replies.ts";
import { Requests } from "./model/requests.ts";
import { expectNothingLeft, expectRest } from "./model/rest.ts";
import { Revisions } from "./model/revisions.ts";
import { Secrets } from "./model/secrets.ts";
import { Spans } from "./model/spans.ts";
import { expectNobodyIdles, expectSomebodyRuns, expectWaitsStated } from "./model/stated-waits.ts";
import { StoredMessages } from "./model/standing.ts";
import { Waits } from "./model/waits.ts";

export { Violation } from "./model/violation.ts";

/**
 * Judges a simulated life by what is seen of it, against the contract alone. Two orders are kept apart: things as they
 * are seen (requests, answers, calls), and stored events by id, which may be seen later than what they tell of. What
 * belongs to both, a turn and its call, is judged when the turn has ended.
 */
export class Model {
  readonly #revisions = new Revisions((from, to) => this.#answers.wasStoreFailing(from, to));
  readonly #requests = new Requests();
  readonly #answers = new Answers(this.#requests);
  readonly #spans = new Spans();
  readonly #contexts = new Contexts(this.#revisions, this.#answers.hadStoreFault);
  readonly #calls = new Calls(this.#revisions, this.#answers.isStoreFailing, (call) =>
    this.#pairing.called(call),
  );
  readonly #pairing: Pairing = new Pairing(this.#answers.contentOf);
  readonly #outcomes = new Outcomes({
    revisions: this.#revisions,
    requests: this.#requests,
    hadStoreFault: this.#answers.hadStoreFault,
    isDrainOver: (at) => this.#drains.isOver(at),
  });
  readonly #waits = new Waits({
    revisions: this.#revisions,
    requests: this.#requests,
    spans: this.#spans,
    isProven: (binding) => this.#calls.isProven(binding),
    hadStoreFault: this.#answers.hadStoreFault,
    wasStoreFailing: this.#answers.wasStoreFailing,
  });
  readonly #destinations = new Destinations({
    revisions: this.#revisions,
    requests: this.#requests,
    spans: this.#spans,
    calls: this.#calls,
    hadStoreFault: this.#answers.hadStoreFault,
  });
  readonly #inboxes: Inboxes = new Inboxes(this.#revisions, this.#answers.hadStoreFault, {
    started: (turn) => this.#started(turn),
    ended: (turn) => this.#ended(this.#pairing.ended(turn)),
  });
  readonly #drains: Drains = new Drains(this.#revisions, this.#answers.hadStoreFault);
  readonly #settings = new SettingsInForce(this.#revisions, this.#requests);
  readonly #generators = new Generators(this.#answers.hadStoreFault);
  readonly #stored = new StoredMessages({
    inboxes: this.#inboxes,
    answers: this.#answers,
    requests: this.#requests,
    revisions: this.#revisions,
  });
  readonly #replies = new Replies();
  readonly #readers = new Readers((event) => this.#event(event));
  readonly #judges: readonly Judge[] = [
    this.#revisions,
    this.#requests,
    this.#answers,
    this.#calls,
    new Secrets(),
    new Keys(this.#requests),
    this.#settings,
    this.#readers,
  ];
  #isAtRest = false;

  /** Looks at the next thing that was seen; throws a `Violation` for a promise that was not kept. */
  see(seen: Seen): void {
    if (seen.kind === "stored") this.#inboxes.settle();
    for (const judge of this.#judges) judge.see?.(seen);
    if (seen.kind === "boot" && seen.phase === "asked") this.#pairing.booted(seen.boot, seen.at);
    if (seen.kind === "crash" || (seen.kind === "stop" && seen.phase === "stopped"))
      this.#pairing.died(seen.boot, seen.at);
    if (seen.kind === "callEnded" || seen.kind === "callAborted") this.#callEnded(seen.call, seen.at);
    else if (seen.kind === "stored" && !this.#readers.isTorn) this.#read(seen);
    else if (seen.kind === "end") expectNothingLeft(seen);
    this.#isAtRest = seen.kind === "rest" || (this.#isAtRest && isQuiet(seen));
  }

  #callEnded(number: number, at: number): void {
    const call = this.#calls.find(number);
    if (!call?.end && call?.isTimedOut !== true) return;
    this.#spans.ended(call);
    const mayHold = call.end?.kind === "refused" && !this.#calls.isProven(bindingName(call));
    if (mayHold && this.#answers.hadStoreFault()) this.#spans.mayHold(call, at);
  }

  #read(stored: Extract<Seen, { kind: "stored" }>): void {
    this.#stored.judge(stored);
    this.#replies.read(stored);
    // Who waits for the code of his provider has been let through, and is shown as what he was before.
    if (!this.#answers.isStoreFailing(stored.at) && !this.#calls.isAnyLoading) {
      expectWaitsStated(stored, this.#revisions);
      expectSomebodyRuns(stored, this.#calls);
      expectNobodyIdles(stored);
    }
    if (!this.#isAtRest) return;
    this.#stored.judgeAtRest(stored);
    this.#pairing.atRest();
    expectRest(stored, this.#waits.usedOnDayOf(stored.at));
  }

  #event(event: StoredEvent): void {
    this.#inboxes.before(event);
    this.#settings.event(event);
    if (event.type === "settings.changed") this.#revisions.changed(event.data, event.toldAt);
    this.#drains.event(event);
    this.#inboxes.event(event);
    this.#contexts.event(event);
    this.#waits.event(event);
    this.#generators.event(event);
  }

  #started(turn: Turn): void {
    this.#drains.started(turn);
    this.#destinations.started(turn);
    this.#waits.started(turn);
  }

  #ended(pair: Pair): void {
    this.#outcomes.judge(pair);
    this.#contexts.judge(pair);
    this.#replies.judge(pair);
    this.#waits.judge(pair);
    this.#destinations.judge(pair);
  }
}

/** What may still be seen at rest: what is read, and nothing that moves a daemon. */
function isQuiet(seen: Seen): boolean {
  return seen.kind === "stored" || seen.kind === "event" || seen.kind === "answer" || seen.kind === "reader";
}

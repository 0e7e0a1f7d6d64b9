import type { Seen } from "../history.ts";
import type { Pair } from "./pairing.ts";
import { expect } from "./violation.ts";

/** What a message that is done has to show. */
interface Reply {
  reply: string | null;
  repliedBy: string | null;
}

/** Judges that exactly one reply is stored, the one that was given: of a batch with its last message (sections 1.1 and 4). */
export class Replies {
  readonly #expected = new Map<string, Reply>();

  /** A turn is over. */
  judge({ turn, call }: Pair): void {
    if (turn.end?.kind !== "done" || call?.end?.kind !== "answered") return;
    const last = turn.messages.at(-1)?.id ?? null;
    const { reply } = call.end;
    for (const { id } of turn.messages)
      this.#expected.set(id, id === last ? { reply, repliedBy: null } : { reply: null, repliedBy: last });
  }

  /** Everything is read. */
  read({ messages }: Extract<Seen, { kind: "stored" }>): void {
    for (const { id, session, seq, reply, repliedBy } of messages) {
      const expected = this.#expected.get(id);
      if (!expected) continue;
      const isOwn = reply === expected.reply && repliedBy === expected.repliedBy;
      expect(
        isOwn,
        "exactly one outcome",
        () =>
          `${session}/${seq} shows ${reply} by ${repliedBy}, it was answered ${expected.reply} by ${expected.repliedBy}`,
      );
      this.#expected.delete(id);
    }
  }
}

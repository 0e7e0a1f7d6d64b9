import { expect } from "bun:test";
import { contextDigestOf, digestOf, replyOf, type SaidTurn } from "../support/aimock.ts";
import type { Segue } from "../support/segue.ts";
import { fixtureMessages } from "../fixtures/messages.ts";
import type { MessageAnswer, PageAnswer } from "./answers.ts";
import type { Asked, VendorCall } from "./vendors.ts";

/** The sessions that messages are posted into. */
export const sessions = ["kitchen", "garden", "workshop"] as const;

/** What is posted: the fixtures, dealt out to the sessions, each in its order. */
export function dealtMessages(): Map<string, string[]> {
  const dealt = new Map<string, string[]>(sessions.map((session) => [session, []]));
  fixtureMessages().forEach((content, at) => dealt.get(sessions[at % sessions.length] ?? "")?.push(content));
  return dealt;
}

/** All messages of a session, by `seq`. */
export async function messagesOf(segue: Segue, session: string): Promise<MessageAnswer[]> {
  const all: MessageAnswer[] = [];
  let cursor = "";
  do {
    const path = `/api/sessions/${session}/messages?limit=1000${cursor}`;
    const page = await segue.get<PageAnswer<MessageAnswer>>(path);
    all.push(...page.items);
    cursor = page.next === null ? "" : `&cursor=${encodeURIComponent(page.next)}`;
  } while (cursor !== "");
  return all;
}

/** What a provider server has to have heard of a message. */
export interface ExpectedCall {
  session: string;
  seq: number;
  digest: string;
  turns: number;
  context: string;
}

/** The calls that the messages of a session make, each with all that was said before it. */
export function expectedCalls(messages: readonly MessageAnswer[]): ExpectedCall[] {
  const said: SaidTurn[] = [];
  return messages.map(({ session, seq, content, reply }) => {
    const call = {
      session,
      seq,
      digest: digestOf(content),
      turns: said.length + 1,
      context: contextDigestOf(said),
    };
    said.push({ role: "user", content }, { role: "assistant", content: reply ?? "" });
    return call;
  });
}

/** Fails where a message is not as posted, not in its place, or not answered by who heard it. */
export function expectAnswered(
  messages: readonly MessageAnswer[],
  contents: readonly string[],
  askedBy: (digest: string) => readonly Asked[],
): void {
  expect(messages.map(({ seq }) => seq)).toEqual(contents.map((_, at) => at + 1));
  expect(messages.findIndex(({ content }, at) => content !== contents[at])).toBe(-1);
  for (const { content, status, reply, provider, model, error } of messages) {
    expect({ status, error }).toEqual({ status: "done", error: null });
    const asked = askedBy(digestOf(content)).find(({ vendor }) => vendor === provider);
    expect({ vendor: provider, model }).toEqual({
      vendor: asked?.vendor ?? null,
      model: asked?.model ?? null,
    });
    expect(reply).toBe(replyOf(provider ?? "", content));
  }
}

/** The calls of each message by its digest. */
export function callsByDigest(calls: readonly VendorCall[]): Map<string, VendorCall[]> {
  return Map.groupBy(calls, ({ digest }) => digest);
}

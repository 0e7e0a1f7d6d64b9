import * as v from "valibot";
import { messageShape, pageOf } from "../answers.ts";
import { contentBody, inboxQuery, messagesQuery } from "../routes/messages.ts";
import { type Answer, type Operations, json, takesNothing } from "./operation.ts";

const acceptedList = v.strictObject({
  items: v.array(v.strictObject({ id: v.string(), seq: v.number() })),
  count: v.number(),
});

function accepted(says: string): Answer {
  return {
    says,
    content: { "application/json": v.union([messageShape, acceptedList]) },
    headers: {
      Location: "Where the message is.",
      "Preference-Applied": "The wait that was granted.",
      "Idempotency-Replayed": "true where this Idempotency-Key came before.",
    },
  };
}

/** The calls about messages. */
export const messageOperations: Operations = {
  "/api/sessions/:id/messages": {
    POST: {
      summary: "Accept a message, or with NDJSON several, all or none; the session is made if it is new.",
      headers: {
        "Idempotency-Key": "1 to 255 visible ASCII characters; a repeat gets the same message as it is now.",
        Prefer: "wait=SECONDS waits for the end, at most 300 seconds (RFC 7240).",
      },
      body: { "application/json": contentBody, "text/plain": "text", "application/x-ndjson": "text" },
      answers: {
        202: accepted("It is on disk, and will end exactly once."),
        200: accepted("It has ended within the wait, or was accepted before under its key."),
      },
      codes: ["idempotency_conflict", "invalid", "too_many_pending", "storage_full"],
    },
    GET: {
      summary: "List the messages of a session by seq.",
      query: inboxQuery,
      answers: { 200: json("A page of them.", pageOf(messageShape)) },
      codes: ["session_not_found"],
    },
  },
  "/api/sessions/:id/retry": {
    POST: {
      summary: "Send again, in order, all that failed in a session and was not sent again yet.",
      ...takesNothing,
      answers: { 202: json("How many.", v.strictObject({ count: v.number() })) },
      codes: ["session_not_found", "too_many_pending", "storage_full"],
    },
  },
  "/api/messages": {
    GET: {
      summary: "List the messages of all sessions.",
      query: messagesQuery,
      answers: { 200: json("A page of them.", pageOf(messageShape)) },
    },
  },
  "/api/messages/:id": {
    GET: {
      summary: "Show a message.",
      answers: { 200: json("The message.", messageShape) },
      codes: ["message_not_found"],
    },
  },
  "/api/messages/:id/cancel": {
    POST: {
      summary: "End a message that has not ended; one in flight is stopped.",
      ...takesNothing,
      answers: { 200: json("The message.", messageShape) },
      codes: ["message_not_found", "wrong_status", "storage_full"],
    },
  },
  "/api/messages/:id/retry": {
    POST: {
      summary: "Send a failed message again: a new one at the end of the inbox.",
      ...takesNothing,
      answers: {
        202: { ...json("The new message.", messageShape), headers: { Location: "Where it is." } },
      },
      codes: ["message_not_found", "wrong_status", "too_many_pending", "storage_full"],
    },
  },
};

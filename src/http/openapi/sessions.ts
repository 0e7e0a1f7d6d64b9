import * as v from "valibot";
import { pageOf, sessionShape, transcriptShape } from "../answers.ts";
import { createBody, patchBody, restartBody, sessionsQuery } from "../routes/sessions.ts";
import { type Operations, json } from "./operation.ts";

/** The calls about sessions. */
export const sessionOperations: Operations = {
  "/api/sessions": {
    POST: {
      summary: "Make a session.",
      body: { "application/json": createBody },
      answers: { 201: { ...json("It is made.", sessionShape), headers: { Location: "Where it is." } } },
      codes: ["session_exists", "provider_not_ready", "storage_full"],
    },
    GET: {
      summary: "List the sessions, newest first.",
      query: sessionsQuery,
      answers: { 200: json("A page of them.", pageOf(sessionShape)) },
    },
  },
  "/api/sessions/:id": {
    GET: {
      summary: "Show a session.",
      answers: { 200: json("The session.", sessionShape) },
      codes: ["session_not_found"],
    },
    PATCH: {
      summary: "Change a session by a merge patch (RFC 7396); it takes effect at its next boundary.",
      body: { "application/json": patchBody, "application/merge-patch+json": patchBody },
      answers: { 200: json("The session.", sessionShape) },
      codes: ["session_not_found", "provider_not_ready", "storage_full"],
    },
    DELETE: {
      summary: "Delete a session and all that is in it; what has not ended is cancelled.",
      answers: { 204: { says: "It is gone." } },
      codes: ["session_not_found", "storage_full"],
    },
  },
  "/api/sessions/:id/restart": {
    POST: {
      summary: "Give a session another generator; context, queue and epoch stay.",
      body: { "application/json": restartBody },
      isBodyOptional: true,
      answers: {
        200: json("When.", v.strictObject({ applied: v.picklist(["now", "at_boundary"]) })),
      },
      codes: ["session_not_found"],
    },
  },
  "/api/sessions/:id/transcript": {
    GET: {
      summary: "Tell what was said in a session, over all its contexts.",
      headers: { Accept: "application/json for JSON; else it is Markdown." },
      answers: {
        200: {
          says: "The transcript.",
          content: { "text/markdown": "text", "application/json": transcriptShape },
        },
      },
      codes: ["session_not_found"],
    },
  },
};

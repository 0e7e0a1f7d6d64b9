import * as v from "valibot";
import { activityShape, checkpointShape, daemonShape, memoryShape, pageOf, statsShape } from "../answers.ts";
import { restartFields } from "../routes/daemon.ts";
import { eventsQuery } from "../routes/events.ts";
import { memoryQuery } from "../routes/memory.ts";
import { type Operation, type Operations, json, takesNothing } from "./operation.ts";

const phase = json("It has begun.", v.strictObject({ phase: v.literal("draining") }));
const alive = (status: string): Operation["answers"] => ({
  200: json("It is.", v.strictObject({ status: v.literal(status) })),
});

/** The calls about the daemon itself. */
export const daemonOperations: Operations = {
  "/api/daemon": {
    GET: { summary: "Tell what this daemon is.", answers: { 200: json("The daemon.", daemonShape) } },
  },
  "/api/daemon/stop": {
    POST: {
      summary: "Stop: turns in flight may finish, the rest is put back.",
      ...takesNothing,
      answers: { 202: phase },
    },
  },
  "/api/daemon/restart": {
    POST: {
      summary: "Restart in this process, without losing a message; with `upgrade`, as the program on disk.",
      body: { "application/json": restartFields },
      isBodyOptional: true,
      answers: { 202: phase },
    },
  },
  "/api/daemon/checkpoint": {
    POST: {
      summary: "Write down all sessions with their contexts and what has not ended.",
      ...takesNothing,
      answers: { 200: json("The checkpoint.", checkpointShape) },
    },
  },
  "/api/stats": { GET: { summary: "Figures of now.", answers: { 200: json("The figures.", statsShape) } } },
  "/api/stats/activity": {
    GET: {
      summary: "Tell what happened in the last hour, step by step.",
      answers: { 200: json("The steps, oldest first.", activityShape) },
    },
  },
  "/api/events": {
    GET: {
      summary: "Follow what happens, as server-sent events.",
      query: eventsQuery,
      headers: { "Last-Event-ID": "The id of the event that was seen last." },
      answers: { 200: { says: "The events, without an end.", content: { "text/event-stream": "text" } } },
    },
  },
  "/hooks/claude-code": {
    POST: {
      summary: "Take an event of a coding agent as it is.",
      body: { "application/json": "json" },
      answers: { 200: json("It is on disk.", v.strictObject({})) },
      codes: ["invalid", "too_many_pending", "storage_full"],
    },
  },
  "/api/memory": {
    GET: {
      summary: "List the summaries of coding agents' work, newest first.",
      query: memoryQuery,
      answers: { 200: json("A page of them.", pageOf(memoryShape)) },
    },
  },
  "/healthz": { GET: { summary: "Whether the daemon is alive.", answers: alive("alive") } },
  "/readyz": {
    GET: {
      summary: "Whether the daemon takes turns.",
      answers: alive("ready"),
      codes: ["starting", "draining", "storage"],
    },
  },
  "/metrics": {
    GET: {
      summary: "Figures for Prometheus.",
      answers: { 200: { says: "Prometheus' text format.", content: { "text/plain": "text" } } },
    },
  },
  "/openapi.json": {
    GET: {
      summary: "This document.",
      answers: { 200: { says: "OpenAPI 3.1.", content: { "application/json": "json" } } },
    },
  },
};

import * as v from "valibot";
import {
  pageOf,
  planShape,
  revisionShape,
  settingsFileShape,
  settingsShape,
  settingsStatusShape,
} from "../answers.ts";
import { editQuery, historyQuery, rollbackBody, settingsBody } from "../routes/settings.ts";
import { type Operation, type Operations, json, takesNothing } from "./operation.ts";

const tag = { ETag: "The revision." };
const status = { 200: json("Where the settings stand.", settingsStatusShape) };

const edit: Omit<Operation, "summary"> = {
  query: editQuery,
  headers: { "If-Match": "The revision that the edit is on top of." },
  body: { "application/json": settingsBody, "application/merge-patch+json": settingsBody },
  answers: {
    200: {
      ...json(
        "It is in force for new turns; with dryRun=1 only what it would change.",
        v.strictObject({ revision: v.number(), plan: planShape }),
      ),
      headers: tag,
    },
  },
  codes: [
    "token_required",
    "revision_conflict",
    "legacy_settings",
    "edits_waiting",
    "settings_file_invalid",
    "settings_not_writable",
    "settings_invalid",
    "storage_full",
  ],
};

/** The calls about the settings. */
export const settingsOperations: Operations = {
  "/api/settings": {
    GET: {
      summary: "Show the settings in force, defaults included; secrets are masked.",
      answers: { 200: { ...json("The settings.", settingsShape), headers: tag } },
    },
    PATCH: { summary: "Change settings by a merge patch (RFC 7396), in their file.", ...edit },
    PUT: { summary: "Replace the settings, in their file.", ...edit },
  },
  "/api/settings/status": { GET: { summary: "Tell where the settings stand.", answers: status } },
  "/api/settings/reload": {
    POST: {
      summary: "Read the settings file now.",
      ...takesNothing,
      answers: status,
      codes: ["settings_invalid"],
    },
  },
  "/api/settings/apply": {
    POST: {
      summary: "Put the edit that waits in force.",
      ...takesNothing,
      answers: status,
      codes: ["nothing_waiting", "settings_invalid", "storage_full"],
    },
  },
  "/api/settings/release": {
    POST: { summary: "Try what is held or parked again at once.", ...takesNothing, answers: status },
  },
  "/api/settings/history": {
    GET: {
      summary: "List the accepted states of the settings, newest first, secrets masked.",
      query: historyQuery,
      answers: { 200: json("A page of them.", pageOf(revisionShape)) },
    },
  },
  "/api/settings/rollback": {
    POST: {
      summary: "Bring the settings of a revision back, as a new one; secrets stay as they are now.",
      ...edit,
      body: { "application/json": rollbackBody },
      answers: {
        200: {
          ...json(
            "It is in force for new turns.",
            v.strictObject({ revision: v.number(), plan: planShape, kept: v.array(v.string()) }),
          ),
          headers: tag,
        },
      },
      codes: [...(edit.codes ?? []).filter((code) => code !== "token_required"), "revision_not_found"],
    },
  },
  "/api/settings/file": {
    GET: {
      summary:
        "Show the text of the settings file as it stands, secrets masked; of one that is wrong, more is.",
      answers: { 200: json("Its text, and what has become of it.", settingsFileShape) },
    },
  },
  "/api/settings/schema": {
    GET: {
      summary: "The JSON Schema (2020-12) of the settings file.",
      answers: { 200: { says: "The schema.", content: { "application/json": "json" } } },
    },
  },
};

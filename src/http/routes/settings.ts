import * as v from "valibot";
import { isoTime } from "../../core/clock.ts";
import { SegueError } from "../../core/errors.ts";
import type { Edit } from "../../settings/edit.ts";
import { jsonSchema } from "../../settings/schema.ts";
import type { RevisionRecord } from "../../store/revisions.ts";
import type { Transport } from "../access.ts";
import type { Routes } from "../app.ts";
import { readJson } from "../body.ts";
import { requireSettable } from "../settable.ts";
import type { Services } from "../services.ts";
import { pageQuery, readQuery } from "../validate.ts";

const media = ["application/json", "application/merge-patch+json"];
/** How an edit is meant. */
export const editQuery = v.strictObject({
  dryRun: v.optional(v.picklist(["0", "1"], "has to be 0 or 1"), "0"),
});
/** Which revisions are listed. */
export const historyQuery = v.strictObject(pageQuery);

/** Settings, or a patch of them; what is in them is judged as the file is. */
export const settingsBody = v.custom<Readonly<Record<string, unknown>>>(
  (given) => typeof given === "object" && given !== null && !Array.isArray(given),
  "has to be an object",
);
/** Which revision is to come back. */
export const rollbackBody = v.strictObject({
  revision: v.pipe(v.number(), v.integer("has to be a whole number"), v.minValue(1, "has to be at least 1")),
});

/** The settings in force, and their edits (contract section 5). */
export function settingsRoutes(services: Services, transport: Transport): Routes {
  const edited = (kind: "patch" | "put") => async (request: Request) => {
    const given = await readJson(request, settingsBody, media);
    // Before any other check: who may not set something learns nothing of what it would do.
    if (!isTrusted(services, transport)) requireSettable(given);
    const edit: Edit = kind === "patch" ? { kind, patch: given } : { kind, settings: given };
    const { kept: _none, ...answer } = await carryOut(services, request, edit);
    return Response.json(answer, { headers: tagOf(answer.revision) });
  };
  return {
    "/api/settings": {
      GET: () => {
        const { revision, reading } = services.settings.inForce();
        const { settingsPath: path } = services.daemon();
        const body = { revision, path, settings: reading.shown, sources: reading.sources };
        return Response.json(body, { headers: tagOf(revision) });
      },
      PATCH: edited("patch"),
      PUT: edited("put"),
    },
    "/api/settings/history": { GET: (request) => history(services, request) },
    "/api/settings/rollback": { POST: (request) => rollBack(services, request) },
    "/api/settings/file": {
      GET: async () => {
        const { settingsPath: path } = services.daemon();
        return Response.json({ path, ...(await services.settings.shownFile()) });
      },
    },
    "/api/settings/schema": { GET: () => Response.json(jsonSchema()) },
  };
}

/** Over the socket, or with the token: then everything may be set. */
function isTrusted({ settings }: Services, transport: Transport): boolean {
  return transport === "socket" || settings.inForce().settings.server.token !== undefined;
}

function carryOut(services: Services, request: Request, edit: Edit) {
  const { dryRun } = readQuery(request, editQuery);
  return services.settings.edit(edit, { ifMatch: readIfMatch(request), isDryRun: dryRun === "1" });
}

/** The revisions that `If-Match` names (RFC 9110, section 13.1.1); null for any. A tag that is none of ours matches nothing. */
function readIfMatch(request: Request): number[] | null {
  const header = request.headers.get("If-Match")?.trim() ?? "*";
  if (header === "*") return null;
  const tags = header.split(",").map((tag) => /^(?:"(\d+)"|(\d+))$/.exec(tag.trim()));
  return tags.flatMap((tag) => (tag ? [Number(tag[1] ?? tag[2])] : []));
}

function tagOf(revision: number): { ETag: string } {
  return { ETag: `"${revision}"` };
}

async function history({ store }: Services, request: Request): Promise<Response> {
  const { limit, cursor } = readQuery(request, historyQuery);
  const page = await store.revisions.list({ limit, cursor: cursor ?? null });
  return Response.json({ items: page.items.map(representRevision), next: page.next });
}

function representRevision({ revision, at, source, changedKeys, text }: RevisionRecord) {
  return { revision, at: isoTime(at), source, changedKeys, settings: text };
}

async function rollBack(services: Services, request: Request): Promise<Response> {
  const { revision } = await readJson(request, rollbackBody);
  const earlier = await services.store.revisions.get(revision);
  if (!earlier)
    throw new SegueError("revision_not_found", `there is no revision ${revision}, or it is kept no longer`, {
      hint: "`segue history` lists those that are",
    });
  const answer = await carryOut(services, request, { kind: "rollback", text: earlier.text });
  return Response.json(answer, { headers: tagOf(answer.revision) });
}

import * as v from "valibot";
import { SegueError } from "../../core/errors.ts";
import { bindingOf } from "../../sessions/binding.ts";
import type { NewSession, Overrides, SessionPatch, SessionRecord } from "../../store/sessions.ts";
import type { Routes } from "../app.ts";
import { sessionStates } from "../answers.ts";
import { readJson, readOptionalJson } from "../body.ts";
import { representSession, stateName } from "../representation.ts";
import type { Services } from "../services.ts";
import { byName, fields, pageQuery, readQuery, requireId, text } from "../validate.ts";

const name = v.pipe(text, v.nonEmpty("must not be empty"), v.maxLength(1000, "is too long"));
const labelName = v.pipe(text, v.maxLength(128, "is too long"));
const labelValue = v.pipe(text, v.maxLength(4096, "is too long"));
const labels = v.pipe(
  byName(labelName, labelValue),
  v.check((record) => Object.keys(record).length <= 64, "has more than 64 labels"),
);
const mode = v.picklist(["single", "batch"], "has to be single or batch");

/** What a session is made of. */
export const createBody = fields({
  id: v.optional(v.string()),
  title: v.nullish(text, null),
  system: v.nullish(text, null),
  provider: v.nullish(name, null),
  model: v.nullish(name, null),
  mode: v.nullish(mode, null),
  labels: v.nullish(labels, {}),
});

/** What is to change of a session (RFC 7396). */
export const patchBody = fields({
  title: v.exactOptional(v.nullable(text)),
  system: v.exactOptional(v.nullable(text)),
  provider: v.exactOptional(v.nullable(name)),
  model: v.exactOptional(v.nullable(name)),
  mode: v.exactOptional(v.nullable(mode)),
  labels: v.exactOptional(v.nullable(byName(labelName, v.nullable(labelValue)))),
});

/** When a session is to restart. */
export const restartBody = fields({
  when: v.optional(v.picklist(["boundary", "now"], "has to be boundary or now"), "boundary"),
});

/** Which sessions are listed. */
export const sessionsQuery = v.strictObject({
  ...pageQuery,
  state: v.optional(v.picklist(sessionStates, "is no state of a session")),
  label: v.optional(v.pipe(v.string(), v.regex(/^[^:]+:/, "has to be KEY:VALUE"))),
});

/** Sessions (contract section 5). */
export function sessionRoutes(services: Services): Routes {
  const { core, store } = services;
  const represent = (record: SessionRecord) => representSession(record, core());
  return {
    "/api/sessions": {
      POST: async (request) => {
        const session = newSession(services, await readJson(request, createBody));
        const record = await core().registry.create(session);
        const location = `/api/sessions/${encodeURIComponent(record.id)}`;
        return Response.json(represent(record), { status: 201, headers: { Location: location } });
      },
      GET: async (request) => {
        const { state, label, limit, cursor } = readQuery(request, sessionsQuery);
        const filter = label === undefined ? {} : { label: splitLabel(label) };
        let page = await store.sessions.list(filter, { limit, cursor: cursor ?? null });
        const items: SessionRecord[] = [];
        // The state is known to the memory alone: pages are filtered until one is full or the list ends.
        for (;;) {
          const fitting = page.items.filter(
            (record) => state === undefined || stateName(core().registry.find(record.id)) === state,
          );
          items.push(...fitting);
          if (items.length >= limit || page.next === null) break;
          page = await store.sessions.list(filter, { limit: limit - items.length, cursor: page.next });
        }
        return Response.json({ items: items.map(represent), next: page.next });
      },
    },
    "/api/sessions/:id": {
      GET: async (_request, path) => Response.json(represent(await existing(services, path["id"]))),
      PATCH: async (request, path) => {
        const patch = await readJson(request, patchBody, [
          "application/json",
          "application/merge-patch+json",
        ]);
        const record = await existing(services, path["id"]);
        const merged = mergePatch(services, record, patch);
        return Response.json(represent(await core().registry.patch(record.id, merged)));
      },
      DELETE: async (_request, path) => {
        await core().registry.delete(requireId(path["id"] ?? ""));
        return new Response(null, { status: 204 });
      },
    },
    "/api/sessions/:id/restart": {
      POST: async (request, path) => {
        const { when } = await readOptionalJson(request, restartBody);
        return Response.json({ applied: await core().registry.restart(requireId(path["id"] ?? ""), when) });
      },
    },
  };
}

async function existing({ store }: Services, given: string | undefined): Promise<SessionRecord> {
  const id = requireId(given ?? "");
  const record = await store.sessions.get(id);
  if (!record) throw new SegueError("session_not_found", "there is no such session");
  return record;
}

function newSession(services: Services, given: v.InferOutput<typeof createBody>): NewSession {
  const { title, system: prompt, provider, model, mode: turnMode } = given;
  const id = given.id === undefined ? services.ids.session() : requireId(given.id);
  const overrides = { provider: provider ?? pinnedProvider(services, model), model, mode: turnMode };
  requireReady(services, overrides);
  return { id, title, system: prompt, labels: given.labels ?? {}, overrides };
}

/** A model alone also pins the provider in force: it would mean nothing to another. */
function pinnedProvider({ settings }: Services, model: string | null): string | null {
  return model === null ? null : settings.inForce().settings.provider;
}

function requireReady({ settings }: Services, overrides: Overrides): void {
  const { provider } = overrides;
  if (provider === null) return;
  const inForce = settings.inForce().settings;
  // A name that is none of ours is input: it is not shown.
  if (!Object.hasOwn(inForce.providers, provider))
    throw new SegueError("provider_not_ready", "providers has no entry with this name");
  const { problem } = bindingOf(inForce, { overrides, system: null });
  if (problem !== null)
    throw new SegueError("provider_not_ready", `provider ${provider} cannot be used: ${problem}`);
}

/** RFC 7396: what is absent stays, null goes. Without its provider a model goes too. */
function mergePatch(
  services: Services,
  record: SessionRecord,
  patch: v.InferOutput<typeof patchBody>,
): SessionPatch {
  const { overrides } = record;
  const isUnpinned = patch.provider === null;
  const model = patch.model === undefined ? (isUnpinned ? null : overrides.model) : patch.model;
  const wanted = patch.provider === undefined ? overrides.provider : patch.provider;
  const provider = wanted ?? pinnedProvider(services, model);
  const merged: Overrides = { provider, model, mode: patch.mode === undefined ? overrides.mode : patch.mode };
  if (patch.provider !== undefined || patch.model !== undefined) requireReady(services, merged);
  return {
    ...(patch.title !== undefined && { title: patch.title }),
    ...(patch.system !== undefined && { system: patch.system }),
    ...(patch.labels !== undefined && { labels: mergeLabels(record.labels, patch.labels) }),
    overrides: merged,
  };
}

function mergeLabels(
  present: Record<string, string>,
  patch: Record<string, string | null> | null,
): Record<string, string> {
  const merged = new Map(Object.entries(patch === null ? {} : present));
  for (const [key, value] of Object.entries(patch ?? {}))
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  return Object.fromEntries(merged);
}

function splitLabel(label: string): { key: string; value: string } {
  const at = label.indexOf(":");
  return { key: label.slice(0, at), value: label.slice(at + 1) };
}

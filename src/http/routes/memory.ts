import * as v from "valibot";
import { isoTime } from "../../core/clock.ts";
import type { Routes } from "../app.ts";
import type { Services } from "../services.ts";
import { pageQuery, readQuery } from "../validate.ts";

/** Whose memories are listed. */
export const memoryQuery = v.strictObject({ ...pageQuery, project: v.optional(v.string()) });

/** What is remembered of a project, newest first (contract section 8); without `project` of all. */
export function memoryRoutes({ store }: Services): Routes {
  return {
    "/api/memory": {
      GET: async (request) => {
        const { project, limit, cursor } = readQuery(request, memoryQuery);
        const filter = project === undefined ? {} : { project };
        const page = await store.agents.memories(filter, { limit, cursor: cursor ?? null });
        const items = page.items.map((memory) => ({ ...memory, at: isoTime(memory.at) }));
        return Response.json({ items, next: page.next });
      },
    },
  };
}

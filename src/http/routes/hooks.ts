import { homedir } from "node:os";
import { agentName, type EventRules, type Received, receiveEvent } from "../../agents/claude-code.ts";
import { SegueError } from "../../core/errors.ts";
import type { Routes } from "../app.ts";
import { readText, requireMediaType } from "../body.ts";
import type { Services } from "../services.ts";

/** Events of coding agents (contract section 8): answered once they are on disk, whatever the providers do. */
export function hookRoutes(services: Services): Routes {
  return {
    [`/hooks/${agentName}`]: {
      POST: async (request) => {
        requireMediaType(request, ["application/json"]);
        await keep(services, receiveEvent(parsed(await readText(request)), rulesOf(services)));
        return Response.json({});
      },
    },
  };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new SegueError("malformed", "the body is not JSON");
  }
}

function rulesOf({ settings }: Services): EventRules {
  const { agents, limits } = settings.inForce().settings;
  const { prompt, skipTools, exclude } = agents;
  return { prompt, skipTools, exclude, maxMessageBytes: limits.maxMessageBytes, home: homedir() };
}

async function keep(services: Services, received: Received): Promise<void> {
  switch (received.kind) {
    case "message":
      return accept(services, received);
    case "counted":
      return services.store.agents.count(received.name);
    case "dropped":
      return;
  }
}

/** No client can send a key like this one: it has a space. Whatever came first under it is the event. */
const keyPrefix = "hook ";

async function accept(
  { core, ids, settings }: Services,
  { session, content, isSummary, sameAs, template }: Extract<Received, { kind: "message" }>,
): Promise<void> {
  const { maxPendingPerSession: maxPending } = settings.inForce().settings.limits;
  const result = await core().registry.accept({
    session,
    messages: [{ id: ids.message(), content, retryOf: null, isSummary }],
    idempotency: sameAs === null ? null : { key: keyPrefix + sameAs, hash: "" },
    maxPending,
    template,
  });
  if (result.kind === "full")
    throw new SegueError("too_many_pending", `this session has ${result.pending} pending messages already`, {
      hint: "limits.maxPendingPerSession sets how many it may have",
      retryAfterSeconds: 5,
    });
}

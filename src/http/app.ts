import { HonoBase } from "hono/hono-base";
import { TrieRouter } from "hono/router/trie-router";
import { SegueError } from "../core/errors.ts";
import { type Transport, requireAccess } from "./access.ts";
import { BodyGuard } from "./body-guard.ts";
import { problemResponse } from "./problem.ts";
import { dashboardRoutes } from "./routes/dashboard.ts";
import { daemonRoutes } from "./routes/daemon.ts";
import { eventRoutes } from "./routes/events.ts";
import { hookRoutes } from "./routes/hooks.ts";
import { memoryRoutes } from "./routes/memory.ts";
import { messageRoutes } from "./routes/messages.ts";
import { openApiRoutes } from "./routes/openapi.ts";
import { retryRoutes } from "./routes/retries.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { settingsStatusRoutes } from "./routes/settings-status.ts";
import { settingsRoutes } from "./routes/settings.ts";
import { statsRoutes } from "./routes/stats.ts";
import { transcriptRoutes } from "./routes/transcripts.ts";
import type { Services } from "./services.ts";
import { requireTarget } from "./validate.ts";

/** Answers one request; a route's parameters are in `path`. It may throw a `SegueError`. */
export type Handler = (request: Request, path: Record<string, string>) => Response | Promise<Response>;

/** The calls of a resource: for each path its methods. `:name` in a path is a parameter. */
export type Routes = Record<string, Partial<Record<"GET" | "POST" | "PATCH" | "PUT" | "DELETE", Handler>>>;

/** Every call there is. */
export function createRoutes(services: Services, transport: Transport): Routes {
  return {
    ...sessionRoutes(services),
    ...messageRoutes(services),
    ...retryRoutes(services),
    ...transcriptRoutes(services),
    ...eventRoutes(services),
    ...hookRoutes(services),
    ...memoryRoutes(services),
    ...settingsRoutes(services, transport),
    ...settingsStatusRoutes(services),
    ...statsRoutes(services),
    ...daemonRoutes(services),
    ...openApiRoutes(services),
    ...dashboardRoutes(services),
  };
}

/** The HTTP interface as a function from request to answer; one for each way in. */
export function createApp(services: Services, transport: Transport): HonoBase {
  const bodies = new BodyGuard(services.clock);
  const enter = (request: Request): void => {
    requireTarget(request);
    requireAccess(request, transport, services.settings.inForce().settings.server.token);
  };
  // 1. One route a path, and nothing around it: a handler of its own goes through no chain. A tree of the paths is there
  //    at once; the matcher that Hono takes by itself is built at the first request, which took 3 ms of a start.
  const app = new HonoBase({ router: new TrieRouter() });
  for (const [path, methods] of Object.entries(createRoutes(services, transport))) {
    const handlers = new Map(Object.entries(methods));
    app.all(path, (context) => {
      const request = context.req.raw;
      enter(request);
      return answer(request, handlers, () => context.req.param(), bodies);
    });
  }
  app.notFound((context) => {
    enter(context.req.raw);
    throw new SegueError("not_found", "there is nothing at this path");
  });
  app.onError((error) => {
    if (error instanceof SegueError) return answerError(error);
    services.onFault(error);
    return answerError(new SegueError("internal", "something went wrong; the log says what"));
  });
  return app;
}

async function answer(
  request: Request,
  handlers: ReadonlyMap<string, Handler>,
  parameters: () => Record<string, string>,
  bodies: BodyGuard,
): Promise<Response> {
  const isHead = request.method === "HEAD";
  const handler = handlers.get(isHead ? "GET" : request.method);
  if (!handler) return refuseMethod([...handlers.keys()]);
  const guarded = bodies.guard(request);
  try {
    const response = await handler(guarded.request, parameters());
    response.headers.set("X-Content-Type-Options", "nosniff");
    // HEAD is answered as GET is, without the body: what would have made it ends here.
    if (isHead) await response.body?.cancel();
    return response;
  } catch (thrown) {
    if (!guarded.isLate() || !(thrown instanceof SegueError)) throw thrown;
    // 2. What is still to come of the body is not waited for: the connection goes.
    const response = answerError(thrown);
    response.headers.set("Connection", "close");
    return response;
  } finally {
    guarded.release();
  }
}

function refuseMethod(methods: readonly string[]): Response {
  const allow = methods.includes("GET") ? [...methods, "HEAD"] : methods;
  const response = answerError(new SegueError("method_not_allowed", `this path takes ${allow.join(", ")}`));
  response.headers.set("Allow", allow.join(", "));
  return response;
}

function answerError(error: SegueError): Response {
  const response = problemResponse(error);
  response.headers.set("X-Content-Type-Options", "nosniff");
  if (error.code === "unauthorized") response.headers.set("WWW-Authenticate", "Bearer");
  return response;
}

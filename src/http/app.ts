import { Hono } from "hono";
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

/** The HTTP interface as a function from request to answer; one for each way in. */
export function createApp(services: Services, transport: Transport): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    requireTarget(context.req.raw);
    requireAccess(context.req.raw, transport, services.settings.inForce().settings.server.token);
    await next();
    context.header("X-Content-Type-Options", "nosniff");
    // HEAD is answered as GET is, without the body: what would have made it ends here.
    if (context.req.method === "HEAD") await context.res.body?.cancel();
  });
  const routes: Routes = {
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
  const bodies = new BodyGuard(services.clock);
  for (const [path, methods] of Object.entries(routes)) register(app, path, methods, bodies);
  app.notFound(() => problemResponse(new SegueError("not_found", "there is nothing at this path")));
  app.onError((error) => {
    if (error instanceof SegueError) return answerError(error);
    services.onFault(error);
    return answerError(new SegueError("internal", "something went wrong; the log says what"));
  });
  return app;
}

function register(app: Hono, path: string, methods: Routes[string], bodies: BodyGuard): void {
  for (const [method, handler] of Object.entries(methods))
    app.on(method, path, async (context) => {
      const { request, isLate, release } = bodies.guard(context.req.raw);
      try {
        return await handler(request, context.req.param());
      } catch (thrown) {
        if (!isLate() || !(thrown instanceof SegueError)) throw thrown;
        // 1. What is still to come of the body is not waited for: the connection goes.
        const response = answerError(thrown);
        response.headers.set("Connection", "close");
        return response;
      } finally {
        release();
      }
    });
  const allow = Object.keys(methods);
  if (methods.GET) allow.push("HEAD");
  app.all(path, () => {
    const error = new SegueError("method_not_allowed", `this path takes ${allow.join(", ")}`);
    const response = answerError(error);
    response.headers.set("Allow", allow.join(", "));
    return response;
  });
}

function answerError(error: SegueError): Response {
  const response = problemResponse(error);
  response.headers.set("X-Content-Type-Options", "nosniff");
  if (error.code === "unauthorized") response.headers.set("WWW-Authenticate", "Bearer");
  return response;
}

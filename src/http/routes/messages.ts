import { sha256 } from "#platform/hash";
import * as v from "valibot";
import { SegueError } from "../../core/errors.ts";
import type { AcceptResult, Idempotency } from "../../store/inbox.ts";
import type { MessageRecord } from "../../store/message.ts";
import type { ShownMessage } from "../answers.ts";
import type { Routes } from "../app.ts";
import { mediaType, readText, parseJson, requireMediaType, requireNothing } from "../body.ts";
import { parseLines } from "../ndjson.ts";
import { requestedWaitSeconds } from "../prefer.ts";
import { representAccepted, representMessage } from "../representation.ts";
import type { Services } from "../services.ts";
import { fields, pageQuery, readQuery, requireId, text, wholeNumber } from "../validate.ts";

/** A message to be accepted. */
export const contentBody = fields({ content: v.pipe(text, v.nonEmpty("must not be empty")) });

const status = v.optional(
  v.picklist(["pending", "running", "done", "failed", "cancelled"], "is no status of a message"),
);
/** Which messages of a session are listed. */
export const inboxQuery = v.strictObject({
  ...pageQuery,
  status,
  after: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
});
/** Which messages of all sessions are listed. */
export const messagesQuery = v.strictObject({ ...pageQuery, status });

/** Messages (contract section 5). */
export function messageRoutes(services: Services): Routes {
  const { store, core } = services;
  return {
    "/api/sessions/:id/messages": {
      POST: (request, path) => post(services, request, requireId(path["id"] ?? "")),
      GET: async (request, path) => {
        const session = requireId(path["id"] ?? "");
        const query = readQuery(request, inboxQuery);
        if (!(await store.sessions.get(session)))
          throw new SegueError("session_not_found", "there is no such session");
        return listed(services, { session, ...query });
      },
    },
    "/api/messages": { GET: (request) => listed(services, readQuery(request, messagesQuery)) },
    "/api/messages/:id": {
      GET: async (_request, path) => {
        const id = requireId(path["id"] ?? "");
        return Response.json(representMessage(await existing(services, id)));
      },
    },
    "/api/messages/:id/cancel": {
      POST: async (request, path) => {
        const id = requireId(path["id"] ?? "");
        await requireNothing(request);
        return Response.json(representMessage(await core().registry.cancel(id)));
      },
    },
  };
}

async function listed(
  { store }: Services,
  query: {
    session?: string;
    status?: MessageRecord["status"] | undefined;
    after?: number | undefined;
    limit: number;
    cursor?: string | undefined;
  },
): Promise<Response> {
  const page = await store.messages.list(
    {
      ...(query.session !== undefined && { session: query.session }),
      ...(query.status !== undefined && { status: query.status }),
      ...(query.after !== undefined && { after: query.after }),
    },
    { limit: query.limit, cursor: query.cursor ?? null },
  );
  return Response.json({ items: page.items.map(representMessage), next: page.next });
}

async function existing({ store }: Services, id: string): Promise<MessageRecord> {
  const message = await store.messages.get(id);
  if (!message) throw new SegueError("message_not_found", "there is no such message");
  return message;
}

async function post(services: Services, request: Request, session: string): Promise<Response> {
  requireMediaType(request, ["application/json", "text/plain", "application/x-ndjson"]);
  const media = mediaType(request);
  const contents = contentsOf(media, await readText(request));
  requireLength(services, contents);
  const messages = contents.map((content) => ({ id: services.ids.message(), content, retryOf: null }));
  const waitSeconds = media === "application/x-ndjson" ? undefined : requestedWaitSeconds(request);
  const given = { session, messages, media, contents };
  if (media === "application/x-ndjson") return answerList(await registerPost(services, request, given));
  if (waitSeconds !== undefined) return postAndWait(services, request, given, waitSeconds);
  const result = await registerPost(services, request, given);
  return answerOne(result, await shown(services, given, result), result.kind === "replayed", {});
}

/** A message that was just accepted is as it was sent; one of an earlier post may have come further since. */
async function shown(
  services: Services,
  { session, contents }: Post,
  result: Accepted,
): Promise<ShownMessage> {
  const [first] = result.messages;
  if (result.kind === "replayed" || !first) return representMessage(await existing(services, idOf(result)));
  return representAccepted({ ...first, session, content: contents[0] ?? "", at: result.at });
}

async function postAndWait(
  services: Services,
  request: Request,
  given: Post,
  seconds: number,
): Promise<Response> {
  const leave = new AbortController();
  try {
    // 1. Asked for before the post is accepted, so that an end that comes at once is not missed.
    const ended = services.ends.of(given.messages[0]?.id ?? "", leave.signal);
    const result = await registerPost(services, request, given);
    const id = idOf(result);
    // 2. A replayed message is another than the one `ended` was asked for.
    const end = result.kind === "replayed" ? services.ends.of(id, leave.signal) : ended;
    const message = await waited(services, request, id, end, seconds, leave);
    const isOk = result.kind === "replayed" || hasEnded(message);
    return answerOne(result, representMessage(message), isOk, { "Preference-Applied": `wait=${seconds}` });
  } finally {
    leave.abort();
  }
}

/** What a post brings. */
interface Post {
  session: string;
  messages: { id: string; content: string; retryOf: null }[];
  media: string;
  contents: readonly string[];
}

function contentsOf(media: string, body: string): string[] {
  if (media === "application/x-ndjson") return parseLines(body, contentBody).map((line) => line.content);
  if (media === "application/json") return [parseJson(body, contentBody).content];
  if (body === "")
    throw new SegueError("invalid", "the message is empty", {
      problems: [{ path: "content", message: "must not be empty" }],
    });
  return [body];
}

function requireLength({ settings }: Services, contents: readonly string[]): void {
  const { maxMessageBytes } = settings.inForce().settings.limits;
  for (const content of contents)
    if (Buffer.byteLength(content) > maxMessageBytes)
      throw new SegueError("too_large", `a message may have at most ${maxMessageBytes} bytes`, {
        hint: "limits.maxMessageBytes sets how many",
      });
}

type Accepted = Extract<AcceptResult, { kind: "accepted" | "replayed" }>;

async function registerPost({ core, settings }: Services, request: Request, given: Post): Promise<Accepted> {
  const { session, messages } = given;
  const result = await core().registry.accept({
    session,
    messages,
    idempotency: idempotencyOf(request, given.media, given.contents),
    maxPending: settings.inForce().settings.limits.maxPendingPerSession,
  });
  switch (result.kind) {
    case "accepted":
    case "replayed":
      return result;
    case "conflict":
      throw new SegueError("idempotency_conflict", "this Idempotency-Key came with other content before", {
        hint: "use a new key for a new message",
      });
    case "full":
      throw new SegueError(
        "too_many_pending",
        `this session has ${result.pending} pending messages already`,
        {
          hint: "limits.maxPendingPerSession sets how many it may have",
          retryAfterSeconds: 5,
        },
      );
  }
}

/** The key stands for what was sent, in whichever form: the same list of contents is the same post. */
function idempotencyOf(request: Request, media: string, contents: readonly string[]): Idempotency | null {
  const key = request.headers.get("Idempotency-Key");
  if (key === null) return null;
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw new SegueError("malformed", "an Idempotency-Key has 1 to 255 visible ASCII characters");
  const form = media === "application/x-ndjson" ? "list" : "one";
  const hash = sha256(JSON.stringify([form, contents]), "base64url");
  return { key, hash };
}

function answerList(result: Accepted): Response {
  const { messages } = result;
  const headers = replayHeaders(result);
  return Response.json(
    { items: messages, count: messages.length },
    { status: result.kind === "replayed" ? 200 : 202, headers },
  );
}

function replayHeaders(result: Accepted): Record<string, string> {
  return result.kind === "replayed" ? { "Idempotency-Replayed": "true" } : {};
}

function idOf(result: Accepted): string {
  const id = result.messages[0]?.id;
  if (id === undefined) throw new Error("a post was accepted without a message");
  return id;
}

function answerOne(
  result: Accepted,
  message: ShownMessage,
  isOk: boolean,
  more: Record<string, string>,
): Response {
  const headers = { ...replayHeaders(result), ...more, Location: `/api/messages/${message.id}` };
  return Response.json(message, { status: isOk ? 200 : 202, headers });
}

async function waited(
  services: Services,
  request: Request,
  id: string,
  end: Promise<void>,
  seconds: number,
  leave: AbortController,
): Promise<MessageRecord> {
  // 3. Looked at after the end was asked for: it may have come between.
  const present = await existing(services, id);
  if (hasEnded(present)) return present;
  const gone = (): void => leave.abort();
  request.signal.addEventListener("abort", gone, { once: true });
  await Promise.race([end, services.clock.sleep(seconds * 1000, leave.signal)]);
  request.signal.removeEventListener("abort", gone);
  return existing(services, id);
}

function hasEnded(message: MessageRecord): boolean {
  return message.status === "done" || message.status === "failed" || message.status === "cancelled";
}

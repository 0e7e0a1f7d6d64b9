/** Where the app under test seems to listen. */
export const authority = "127.0.0.1:4747";

/** A message as the interface shows it. */
export interface ShownMessage {
  id: string;
  session: string;
  seq: number;
  content: string;
  status: string;
  attempts: number;
  reply: string | null;
  error: { kind: string; message: string } | null;
  finishedAt: string | null;
}

/** What may be asked of a request beside its path. */
export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  signal?: AbortSignal;
}

/** The request that is meant: GET, or POST where there is something to send. */
export function requestOf(path: string, { method, headers = {}, json, body, signal }: Asked): Request {
  const sent = json === undefined ? body : JSON.stringify(json);
  return new Request(`http://${authority}${path}`, {
    method: method ?? (sent === undefined ? "GET" : "POST"),
    headers: {
      Host: authority,
      ...(json !== undefined && { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(sent !== undefined && { body: sent }),
    ...(signal && { signal }),
  });
}

/** What is expected of every refusal: its status and code as problem+json that says what is wrong. */
export async function problemOf(response: Response): Promise<{
  status: number;
  code: string;
  title: string;
  detail: string;
  type: string;
  errors?: { path: string; message: string; line?: number }[];
}> {
  if (response.headers.get("Content-Type") !== "application/problem+json")
    throw new Error(`${response.status} is no problem+json: ${await response.text()}`);
  if (response.headers.get("X-Content-Type-Options") !== "nosniff")
    throw new Error("the problem may be sniffed");
  const problem = await response.json();
  if (problem.status !== response.status) throw new Error(`${problem.status} came as ${response.status}`);
  return problem;
}

/** Status and code of a refusal, as `404 session_not_found`. */
export async function refusal(response: Response): Promise<string> {
  const { status, code } = await problemOf(response);
  return `${status} ${code}`;
}

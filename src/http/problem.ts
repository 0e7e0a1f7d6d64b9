import type { Problem, SegueError } from "../core/errors.ts";

/** The body of an error (RFC 9457). */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  errors?: readonly Problem[];
}

/** An expected error as an answer: `application/problem+json`, never echoing input. */
export function problemResponse(error: SegueError): Response {
  const { code, status, title, message, hint, problems, retryAfterSeconds } = error;
  const body: ProblemBody = {
    type: `urn:segue:error:${code}`,
    title,
    status,
    detail: hint === undefined ? message : `${message}; ${hint}`,
    code,
    ...(problems && { errors: problems }),
  };
  const headers = new Headers({ "Content-Type": "application/problem+json" });
  if (retryAfterSeconds !== undefined) headers.set("Retry-After", String(Math.ceil(retryAfterSeconds)));
  return new Response(JSON.stringify(body), { status, headers });
}

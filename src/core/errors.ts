/** What an answer of the HTTP interface and an exit code are for each expected error. Codes are the contract's. */
const table = {
  malformed: { status: 400, exit: 1, title: "Malformed request" },
  unauthorized: { status: 401, exit: 1, title: "Unauthorized" },
  forbidden_host: { status: 403, exit: 1, title: "Forbidden host" },
  forbidden_origin: { status: 403, exit: 1, title: "Forbidden origin" },
  token_required: { status: 403, exit: 1, title: "Token required" },
  session_not_found: { status: 404, exit: 1, title: "Session not found" },
  message_not_found: { status: 404, exit: 1, title: "Message not found" },
  revision_not_found: { status: 404, exit: 1, title: "Revision not found" },
  not_found: { status: 404, exit: 1, title: "Not found" },
  method_not_allowed: { status: 405, exit: 1, title: "Method not allowed" },
  session_exists: { status: 409, exit: 1, title: "Session exists" },
  idempotency_conflict: { status: 409, exit: 1, title: "Idempotency conflict" },
  wrong_status: { status: 409, exit: 1, title: "Wrong status" },
  legacy_settings: { status: 409, exit: 5, title: "Legacy settings" },
  edits_waiting: { status: 409, exit: 5, title: "Edits waiting" },
  nothing_waiting: { status: 409, exit: 1, title: "Nothing waiting" },
  settings_file_invalid: { status: 409, exit: 5, title: "Settings file invalid" },
  settings_not_writable: { status: 409, exit: 1, title: "Settings not writable" },
  revision_conflict: { status: 412, exit: 1, title: "Revision conflict" },
  too_large: { status: 413, exit: 1, title: "Too large" },
  unsupported_media_type: { status: 415, exit: 1, title: "Unsupported media type" },
  invalid: { status: 422, exit: 1, title: "Invalid request" },
  settings_invalid: { status: 422, exit: 5, title: "Settings invalid" },
  provider_not_ready: { status: 422, exit: 1, title: "Provider not ready" },
  too_many_pending: { status: 429, exit: 1, title: "Too many pending messages" },
  internal: { status: 500, exit: 1, title: "Internal error" },
  starting: { status: 503, exit: 1, title: "Starting" },
  draining: { status: 503, exit: 1, title: "Draining" },
  storage: { status: 503, exit: 1, title: "Storage" },
  storage_full: { status: 507, exit: 1, title: "Storage full" },
  usage: { status: 400, exit: 2, title: "Usage" },
  already_running: { status: 409, exit: 3, title: "Another daemon holds this data folder" },
  cannot_listen: { status: 500, exit: 4, title: "Cannot listen" },
  not_reachable: { status: 503, exit: 6, title: "No daemon reachable" },
  timed_out: { status: 504, exit: 7, title: "Time ran out" },
} as const satisfies Record<string, { status: number; exit: number; title: string }>;

/** Every code an error can have. */
export type ErrorCode = keyof typeof table;

/** Whether `text` is a code of the table: what an answer of another process says is not known to be one. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(table, text);
}

/** One thing that is wrong in an input: `path` is dotted; `line` and `column` are 1-based where there is a text. */
export interface Problem {
  path: string;
  message: string;
  line?: number;
  column?: number;
}

/** An expected error: it names the thing, the place and the way out, and never shows a secret. */
export class SegueError extends Error {
  readonly code: ErrorCode;
  /** What to do about it, as a sentence, where the message does not say it already. */
  readonly hint: string | undefined;
  readonly problems: readonly Problem[] | undefined;
  /** The file that the problems are in, where it may be another than the reader thinks of. */
  readonly file: string | undefined;
  /** Seconds after which trying again makes sense (RFC 9110 Retry-After). */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    more: {
      hint?: string;
      cause?: unknown;
      problems?: readonly Problem[];
      file?: string;
      retryAfterSeconds?: number;
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "SegueError";
    this.code = code;
    this.hint = more.hint;
    this.problems = more.problems;
    this.file = more.file;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }

  /** HTTP status (RFC 9110) of this error. */
  get status(): number {
    return table[this.code].status;
  }

  /** Exit code of the command line (contract section 7). */
  get exitCode(): number {
    return table[this.code].exit;
  }

  /** Short title of the kind of error (RFC 9457 `title`). */
  get title(): string {
    return table[this.code].title;
  }
}

/** The text of anything thrown. */
export function errorText(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Whether something thrown says that the store has no room or does not answer: the same may go well later. */
export function isStorageFault(thrown: unknown): boolean {
  return thrown instanceof SegueError && (thrown.code === "storage" || thrown.code === "storage_full");
}

/** A file of the data folder that could not be written: `storage_full` where there is no room for it, else `storage`. */
export function writeFault(path: string, thrown: unknown): SegueError {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  if (code === "ENOSPC" || code === "EDQUOT")
    return new SegueError("storage_full", `there is no room left to write ${path}`, {
      hint: "free some space",
      cause: thrown,
    });
  return new SegueError("storage", `${path} cannot be written: ${errorText(thrown)}`, {
    hint: "the data folder has to be writable; name another with --data",
    cause: thrown,
  });
}

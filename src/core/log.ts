import {
  configureSync,
  getLogger,
  jsonLinesFormatter,
  getAnsiColorFormatter,
  getTextFormatter,
} from "@logtape/logtape";

/** How much is logged: everything from this level up. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** What a line of the log says beside its message: ids, never contents. */
export type LogFields = Record<string, string | number | boolean | null>;

/** Fields, or what makes them where the line is written at all. */
export type GivenFields = LogFields | (() => LogFields);

/** One line an event. */
export interface Log {
  debug(message: string, fields?: GivenFields): void;
  info(message: string, fields?: GivenFields): void;
  warn(message: string, fields?: GivenFields): void;
  error(message: string, fields?: GivenFields): void;
}

const ranks: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

/**
 * The log of the process. `write` gets whole lines, each with every secret taken out by `redact`; `level` is asked
 * for at every line, so that it can change while the daemon runs. A second call replaces the first.
 */
export function createLog(options: {
  format: "json" | "text";
  isColored: boolean;
  level: () => LogLevel;
  redact: (text: string) => string;
  write: (line: string) => void;
}): Log {
  const pretty = options.isColored
    ? getAnsiColorFormatter({ timestamp: "time" })
    : getTextFormatter({ timestamp: "time" });
  const format = options.format === "json" ? jsonLinesFormatter : pretty;
  configureSync({
    reset: true,
    sinks: { out: (record) => options.write(options.redact(format(record))) },
    loggers: [
      { category: "segue", sinks: ["out"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: ["out"], lowestLevel: "warning" },
    ],
  });
  const logger = getLogger("segue");
  const at = (level: LogLevel, write: (message: string, fields: LogFields) => void) => {
    return (message: string, given: GivenFields = {}): void => {
      if (ranks[level] < ranks[options.level()]) return;
      const fields = typeof given === "function" ? given() : given;
      write(
        options.format === "json" ? escapeBraces(message) : escapeBraces(message) + suffixOf(fields),
        fields,
      );
    };
  };
  return {
    debug: at("debug", (message, fields) => logger.debug(message, fields)),
    info: at("info", (message, fields) => logger.info(message, fields)),
    warn: at("warn", (message, fields) => logger.warn(message, fields)),
    error: at("error", (message, fields) => logger.error(message, fields)),
  };
}

/** The logger's own templates are not used: a brace in a message is a brace. */
function escapeBraces(message: string): string {
  return message.replaceAll("{", "{{").replaceAll("}", "}}");
}

/** As text the fields stand behind the message. */
function suffixOf(fields: LogFields): string {
  return escapeBraces(
    Object.entries(fields)
      .map(([name, value]) => ` ${name}=${shown(value)}`)
      .join(""),
  );
}

/** Text that would break the line, or be taken for another field, is quoted. */
function shown(value: LogFields[string]): string {
  const text = String(value);
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text);
}

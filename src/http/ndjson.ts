import * as v from "valibot";
import { SegueError } from "../core/errors.ts";
import { problemsOf } from "./validate.ts";

/**
 * Lines of JSON (NDJSON), each of a shape; empty lines are passed over. Throws `malformed` for a line that is no
 * JSON and `invalid` for one of another shape, with its `line`, and `invalid` where there is no line at all.
 */
export function parseLines<T extends v.GenericSchema>(text: string, schema: T): v.InferOutput<T>[] {
  const parsed: v.InferOutput<T>[] = [];
  for (const [index, line] of text.split("\n").entries())
    if (line.trim() !== "") parsed.push(parseLine(line, index + 1, schema));
  if (parsed.length === 0) throw new SegueError("invalid", "the body has no line");
  return parsed;
}

function parseLine<T extends v.GenericSchema>(text: string, line: number, schema: T): v.InferOutput<T> {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    throw new SegueError("malformed", `line ${line} is not JSON`, {
      problems: [{ path: "", message: "is not JSON", line }],
    });
  }
  const result = v.safeParse(schema, input);
  if (!result.success)
    throw new SegueError("invalid", `line ${line} does not have the shape that this call takes`, {
      problems: problemsOf(result.issues).map((problem) => ({ ...problem, line })),
    });
  return result.output;
}

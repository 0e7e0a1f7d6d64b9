import { jsonSchema } from "../settings/schema.ts";
import type { CommandContext } from "./command.ts";

/** `segue schema`: prints the JSON Schema of the settings file. Needs no daemon. */
export async function printSchema({ screen }: CommandContext): Promise<number> {
  screen.answer(JSON.stringify(jsonSchema(), undefined, 2));
  return 0;
}

import { exampleNames, examples, isExampleName } from "../examples/names.ts";
import { exampleTexts } from "../examples/texts.ts";
import type { CommandContext } from "./command.ts";

/**
 * `segue examples`: prints the example of this name as it is, or lists them all; with --json `{name, text}`, or
 * `{items: [{name, description}]}`. Needs no daemon.
 */
export async function printExamples(
  { screen, flags }: CommandContext,
  name: string | undefined,
): Promise<number> {
  if (name !== undefined && isExampleName(name)) {
    const text = exampleTexts[name];
    screen.answer(flags.json ? JSON.stringify({ name, text }) : text.trimEnd());
    return 0;
  }
  const items = exampleNames.map((each) => ({ name: each, description: examples[each] }));
  const width = Math.max(...exampleNames.map(({ length }) => length));
  if (flags.json) screen.answer(JSON.stringify({ items }));
  else
    screen.answer(
      ...items.map(({ name: shown, description }) => `${shown.padEnd(width)}  ${description}`),
      "",
      "segue examples NAME prints one.",
    );
  return 0;
}

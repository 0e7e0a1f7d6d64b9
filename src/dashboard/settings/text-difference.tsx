import { structuredPatch } from "diff";
import type { JSX } from "preact";

/** What is different between two texts, line by line, with a little around it. */
export function TextDifference({ before, after }: { before: string; after: string }): JSX.Element {
  const { hunks } = structuredPatch("", "", before, after, "", "", { context: 2 });
  if (hunks.length === 0) return <p class="muted">The text is the same.</p>;
  return (
    <pre class="difference" tabindex={0} aria-label="What is different">
      {hunks.map((hunk, index) => (
        <div key={index} class="hunk">
          {hunk.lines.map((line, at) => (
            <Line key={at} line={line} />
          ))}
        </div>
      ))}
    </pre>
  );
}

function Line({ line }: { line: string }): JSX.Element {
  const text = `${line.slice(1)}\n`;
  if (line.startsWith("+")) return <ins>{text}</ins>;
  return line.startsWith("-") ? <del>{text}</del> : <span>{text}</span>;
}

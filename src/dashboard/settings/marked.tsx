import type { JSX } from "preact";

/** A text in which what stands between backticks is code. */
export function Marked({ text }: { text: string }): JSX.Element {
  const pieces = text.split("`");
  return <>{pieces.map((piece, index) => (index % 2 === 1 ? <code key={index}>{piece}</code> : piece))}</>;
}

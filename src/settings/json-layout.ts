/** How a text is laid out. */
export interface Style {
  indent: string;
  lineBreak: string;
}

/** A value as text: objects over several lines, of which all but the first begin with `indent`. */
export function render(value: unknown, style: Style, indent: string): string {
  const entries = entriesOf(value);
  if (!entries || entries.length === 0) return renderInline(value);
  const inner = indent + style.indent;
  const lines = entries.map(
    ([name, item]) => `${inner}${JSON.stringify(name)}: ${render(item, style, inner)}`,
  );
  return `{${style.lineBreak}${lines.join(`,${style.lineBreak}`)}${style.lineBreak}${indent}}`;
}

/** A value as text in one line. */
export function renderInline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(renderInline).join(", ")}]`;
  const entries = entriesOf(value);
  if (!entries) return JSON.stringify(value);
  const shown = entries.map(([name, item]) => `${JSON.stringify(name)}: ${renderInline(item)}`);
  return shown.length === 0 ? "{}" : `{ ${shown.join(", ")} }`;
}

function entriesOf(value: unknown): [string, unknown][] | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.entries(value)
    : undefined;
}

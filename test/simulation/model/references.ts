import type { Document, Seen } from "../history.ts";

/** What references have led to, each from a moment on. */
export class References {
  readonly #values: { at: number; reference: string; value: string | undefined }[] = [];

  see({ at, reference, value }: Extract<Seen, { kind: "reference" }>): void {
    this.#values.push({ at, reference, value });
  }

  /** Whether a value is a reference; as JSON. */
  has(json: string | undefined): boolean {
    return this.#values.some(({ reference }) => JSON.stringify(reference) === json);
  }

  /** What a document means that has one reference: of what that led to in a span, all that it may mean. */
  resolved(written: Document, from: number, to: number): Document[] {
    const text = JSON.stringify(written);
    const known = this.#values.filter(
      ({ at, reference }) => at <= to && text.includes(JSON.stringify(reference)),
    );
    const first = known.findLastIndex(({ at }) => at < from);
    return known
      .slice(Math.max(first, 0))
      .flatMap(({ reference, value }) =>
        value === undefined
          ? []
          : [JSON.parse(text.replaceAll(JSON.stringify(reference), JSON.stringify(value)))],
      );
  }
}

/** One event of a stream of server-sent events (WHATWG HTML, section 9.2). */
export interface StreamedEvent {
  id: number | null;
  type: string;
  data: string;
}

/** Cuts a stream of text into events; comments and retry times are left out. */
export class EventParser {
  #rest = "";

  /** The events that are whole with this piece. */
  take(piece: string): StreamedEvent[] {
    const blocks = (this.#rest + piece).split("\n\n");
    this.#rest = blocks.pop() ?? "";
    return blocks.flatMap((block) => eventOf(block) ?? []);
  }
}

function eventOf(block: string): StreamedEvent | undefined {
  const event: StreamedEvent = { id: null, type: "", data: "" };
  for (const line of block.split("\n")) {
    if (line.startsWith("id: ")) event.id = Number(line.slice(4));
    else if (line.startsWith("event: ")) event.type = line.slice(7);
    else if (line.startsWith("data: ")) event.data = line.slice(6);
  }
  return event.type === "" ? undefined : event;
}

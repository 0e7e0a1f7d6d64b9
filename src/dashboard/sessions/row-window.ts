import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** Rows drawn beyond what is seen, on either side. */
const marginRows = 8;

/** The part of a long list that is drawn. */
export interface RowWindow {
  /** The element that scrolls. */
  scroller: RefObject<HTMLDivElement | null>;
  first: number;
  /** Exclusive. */
  end: number;
  /** Room to be left before and after, in pixels. */
  before: number;
  after: number;
}

/** Draws of `count` rows of one height those that can be seen: a thousand cost as much as thirty. */
export function useRowWindow(count: number, rowHeight: number): RowWindow {
  const scroller = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const height = useSignal(900);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = (): void => {
      // In whole rows: within one nothing has to be drawn again.
      top.value = Math.floor(element.scrollTop / rowHeight);
      height.value = element.clientHeight;
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, [rowHeight]);
  const seen = Math.ceil(height.value / rowHeight) + 1;
  const first = Math.max(0, Math.min(top.value, count - seen) - marginRows);
  const end = Math.min(count, first + seen + 2 * marginRows);
  return { scroller, first, end, before: first * rowHeight, after: (count - end) * rowHeight };
}

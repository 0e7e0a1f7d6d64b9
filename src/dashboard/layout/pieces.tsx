import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Tone } from "../words/state-words.ts";
import { clockText } from "../words/time-text.ts";
import { useParts } from "./parts.ts";

/** A state as a colour and a word. */
export function Pill({ tone, children }: { tone: Tone; children: ComponentChildren }): JSX.Element {
  return <span class={`pill ${tone}`}>{children}</span>;
}

/** A part of a view with its heading; `aside` stands beside that. */
export function Panel(props: {
  title: string;
  aside?: ComponentChildren;
  wide?: boolean;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <section class={props.wide ? "card panel wide" : "card panel"} aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}

/** A moment: the time of day, and the whole on hovering. */
export function Moment({ at }: { at: string }): JSX.Element {
  const { now } = useParts();
  return (
    <time dateTime={at} title={new Date(at).toString()}>
      {clockText(Date.parse(at), now.value)}
    </time>
  );
}

/** A question before something that cannot be undone. */
export function Question(props: {
  title: string;
  children: ComponentChildren;
  /** What the button says that does it. */
  act: string;
  onAct: () => void;
  onLeave: () => void;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="question" onClose={props.onLeave}>
      <h2 id="question">{props.title}</h2>
      <div class="muted">{props.children}</div>
      <p class="actions">
        <button type="button" onClick={props.onLeave}>
          Leave it
        </button>
        <button type="button" class="danger" onClick={props.onAct}>
          {props.act}
        </button>
      </p>
    </dialog>
  );
}

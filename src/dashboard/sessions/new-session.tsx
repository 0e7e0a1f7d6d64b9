import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useAction } from "../layout/action.ts";
import { useParts } from "../layout/parts.ts";
import { linkTo } from "../layout/route.ts";
import type { ShownSession } from "../link/answers.ts";

/** Makes a session and goes there. */
export function NewSession(): JSX.Element {
  const { api } = useParts();
  const action = useAction();
  const isOpen = useSignal(false);
  const id = useSignal("");
  const title = useSignal("");
  const make = async (event: Event): Promise<void> => {
    event.preventDefault();
    await action.run(async () => {
      const given = {
        ...(id.value !== "" && { id: id.value }),
        ...(title.value !== "" && { title: title.value }),
      };
      const session = await api.send<ShownSession>("POST", "api/sessions", { body: given });
      window.location.hash = linkTo("sessions", session.id);
    });
  };
  if (!isOpen.value)
    return (
      <button type="button" onClick={() => (isOpen.value = true)}>
        New session
      </button>
    );
  return (
    <form class="inline" onSubmit={(event) => void make(event)}>
      <input
        aria-label="Id of the new session"
        placeholder="Id (made up if empty)"
        autofocus
        value={id.value}
        onInput={(event) => (id.value = event.currentTarget.value)}
      />
      <input
        aria-label="Title of the new session"
        placeholder="Title"
        value={title.value}
        onInput={(event) => (title.value = event.currentTarget.value)}
      />
      <button type="submit" class="primary" disabled={action.isRunning.value}>
        Make it
      </button>
      <button type="button" onClick={() => (isOpen.value = false)}>
        Leave it
      </button>
      <p class="refusal" role="alert">
        {action.refusal.value}
      </p>
    </form>
  );
}

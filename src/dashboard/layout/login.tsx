import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { ApiError } from "../link/api.ts";
import { useParts } from "./parts.ts";

/** Asks for the daemon's token. It is kept in the memory of the tab and nowhere else. */
export function Login(): JSX.Element {
  const { api, feed } = useParts();
  const token = useSignal("");
  const refusal = useSignal("");
  const logIn = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      refusal.value = (await api.logIn(token.value.trim())) ? "" : "The daemon does not take this token.";
      if (refusal.value === "") feed.retryNow();
    } catch (thrown) {
      refusal.value = thrown instanceof ApiError ? thrown.message : "That did not work.";
    }
  };
  return (
    <main class="login">
      <form class="card" onSubmit={(event) => void logIn(event)}>
        <h1>Segue</h1>
        <p>
          This daemon wants its token (<code>server.token</code>).
        </p>
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          autofocus
          required
          value={token.value}
          aria-describedby="token-note token-refusal"
          onInput={(event) => (token.value = event.currentTarget.value)}
        />
        <p id="token-note" class="muted">
          It stays in the memory of this tab: reloading or closing it forgets it.
        </p>
        <p id="token-refusal" class="refusal" role="alert">
          {refusal.value}
        </p>
        <button type="submit" class="primary">
          Log in
        </button>
      </form>
    </main>
  );
}

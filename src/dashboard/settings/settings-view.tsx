import type { JSX } from "preact";

/** The settings: in force, and how to change them. `rest` is what follows in the address. */
export function SettingsView({ rest }: { rest: readonly string[] }): JSX.Element {
  return (
    <section data-place={rest.join("/")}>
      <h1>Settings</h1>
      <p class="muted">
        Edit the settings file, or use <code>segue set KEY VALUE</code>.
      </p>
    </section>
  );
}

import type { Guard, GuardMode } from "../providers/guard.ts";
import type { Binding } from "./binding.ts";

/** An older binding of a session that was proven, and the revision it came with. */
export interface OlderBinding {
  binding: Binding;
  revision: number;
}

/**
 * Where a session runs while the binding it wants is held: its own last proven one, if the guard lets it go back
 * that far (contract section 3.5); undefined where it has to want what it wants, and waits or falls back at the gate.
 */
export function bindingToGoBackTo(
  guard: Guard,
  session: string,
  wanted: Binding,
  older: () => OlderBinding | undefined,
): OlderBinding | undefined {
  const hold = guard.holdOver(wanted.config);
  if (!hold?.goesBack || guard.isTrying(wanted.config, session)) return undefined;
  const last = older();
  return last && mayGoBack(guard.mode, wanted, last.binding) ? last : undefined;
}

function mayGoBack(mode: GuardMode, wanted: Binding, older: Binding): boolean {
  switch (mode) {
    case "endpoint":
      return older.config.kind === wanted.config.kind && older.config.endpoint === wanted.config.endpoint;
    case "any":
      return true;
    case "off":
      return false;
  }
}

import { useCopy, useParts } from "../layout/parts.ts";
import type { InForce } from "./whereabouts.ts";

/** The provider in force and what is held; undefined until they are known. */
export function useInForce(): InForce | undefined {
  const { copies } = useParts();
  const settings = useCopy(copies.settings);
  const status = useCopy(copies.status);
  const provider = settings?.settings["provider"];
  return status && typeof provider === "string" ? { provider, held: status.held } : undefined;
}

import type { ProviderConfig } from "./provider.ts";

/** One way a session could take its turn. */
export interface Candidate {
  /** The name in `providers`. */
  provider: string;
  config: ProviderConfig;
}

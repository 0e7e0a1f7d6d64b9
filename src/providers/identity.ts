import { sha256 } from "#platform/hash";
import type { ProviderConfig } from "./provider.ts";

/** What an endpoint and key, and one model there, are known by. Hashes: they tell nothing of a key. */
export interface Identity {
  /** Kind, endpoint and credentials; for `command` the program too. */
  endpoint: string;
  /** The same and the model: what the guard calls a binding. */
  binding: string;
}

const known = new WeakMap<ProviderConfig, Identity>();

/** The identity of a configuration; equal for equal endpoint, credentials and model, whatever the name. */
export function identityOf(config: ProviderConfig): Identity {
  const before = known.get(config);
  if (before) return before;
  const where = [config.kind, config.endpoint, config.userInfo, config.key, config.argv];
  const identity = { endpoint: hash(where), binding: hash([...where, config.model]) };
  known.set(config, identity);
  return identity;
}

function hash(value: unknown): string {
  return sha256(JSON.stringify(value), "base64url");
}

import { type Given, chosenProvider, isTolerable } from "./assemble.ts";
import type { Finding } from "./finding.ts";
import { nameText } from "./finding.ts";
import type { Judged } from "./judged.ts";
import { offsetOf } from "./leaf.ts";
import { nearest } from "./nearest.ts";
import type { Settings } from "./schema.ts";
import { builtInKind } from "./vendors.ts";
import { providerKinds } from "../providers/provider.ts";

/** What is wrong beyond single values. Nothing is said of what follows from a value that is wrong by itself. */
export function crossFindings(given: Given, settings: Settings, isLegacy: boolean): Finding[] {
  return [
    ...lacking(given),
    ...unknownProvider(given, settings),
    ...unknownFallbacks(given, settings),
    // claude-mem starts without a key and waits for one, and its files are accepted as they are: sessions wait too.
    ...(isLegacy ? [] : unusableProvider(given, settings)),
    ...openHost(given, settings),
  ];
}

function lacking(given: Given): Finding[] {
  const findings: Finding[] = [];
  for (const [name, offset] of given.providers) {
    if (builtInKind(name)) continue;
    const prefix = `providers.${name}`;
    if (!given.values.has(`${prefix}.kind`)) {
      const message = `${prefix} needs a "kind": claude, gemini, openai, command or echo`;
      findings.push({ path: `${prefix}.kind`, message, offset });
    }
    // Of these two the model is but a name, and that of the kind does for any of them.
    const kind = given.values.get(`${prefix}.kind`)?.value;
    if (kind !== "echo" && kind !== "command" && !given.values.has(`${prefix}.model`)) {
      const message = `${prefix} needs a "model": only ${providerKinds.join(", ")} have a default`;
      findings.push({ path: `${prefix}.model`, message, offset });
    }
  }
  return findings;
}

function unknownProvider(given: Given, { provider, providers }: Settings): Finding[] {
  const judged = given.values.get("provider");
  if (!judged || judged.fault || providers[provider]) return [];
  return [{ ...placeOf(judged), message: withFlag(judged, unknownName("provider", provider, providers)) }];
}

function unknownFallbacks(given: Given, { fallback, providers }: Settings): Finding[] {
  const judged = given.values.get("fallback");
  if (!judged || judged.fault) return [];
  return fallback.flatMap((name, index) => {
    if (providers[name]) return [];
    const path = `fallback.${index}`;
    const message = withFlag(judged, unknownName(path, name, providers));
    return [{ path, message, offset: offsetOf(judged.leaf, index) }];
  });
}

function unknownName(path: string, name: string, providers: Settings["providers"]): string {
  const meant = nearest(name, Object.keys(providers)) ?? "echo";
  return `${path} must be a name in providers; there is no "${nameText(name)}", did you mean "${meant}"?`;
}

function unusableProvider(given: Given, { provider, providers }: Settings): Finding[] {
  const settings = providers[provider];
  if (settings?.notReady === undefined || hasFault(given, provider)) return [];
  const culprit = given.values.get(
    `providers.${provider}.${settings.kind === "command" ? "argv" : "apiKey"}`,
  );
  const judged = culprit ?? given.values.get("provider");
  const message = `provider "${provider}" cannot be used: ${settings.notReady}`;
  return [
    judged
      ? { ...placeOf(judged), message: withFlag(judged, message) }
      : { path: "provider", message, offset: null },
  ];
}

function hasFault(given: Given, provider: string): boolean {
  const chosen = chosenProvider(given);
  return [...given.values.values()].some(
    (judged) => judged.fault && judged.leaf.path[1] === provider && !isTolerable(judged, chosen),
  );
}

function openHost(given: Given, { server }: Settings): Finding[] {
  const host = given.values.get("server.host");
  const token = given.values.get("server.token");
  if (!host || host.fault || token?.fault || server.token !== undefined || isLoopback(server.host)) return [];
  const message = `server.host ${server.host} is not loopback, so server.token is required; set one, or listen on 127.0.0.1`;
  return [{ ...placeOf(host), message: withFlag(host, message) }];
}

/** Names and literals that only this machine can reach (RFC 1122, RFC 4291, RFC 6761). */
function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|(0{1,4}:){7}0{0,3}1)$/i.test(host);
}

function placeOf({ leaf }: Judged): { path: string; offset: number | null } {
  return { path: leaf.name, offset: offsetOf(leaf) };
}

function withFlag({ leaf }: Judged, message: string): string {
  const giver = leaf.flag ?? leaf.legacy;
  return giver === undefined ? message : `${giver}: ${message}`;
}

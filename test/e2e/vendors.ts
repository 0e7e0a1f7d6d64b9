import {
  startAimock,
  type Aimock,
  type AimockOptions,
  type HeardCall,
  type JournalEntry,
} from "../support/aimock.ts";

/** The vendors, each spoken to on a wire of its own. */
export const vendorNames = ["claude", "openai", "gemini"] as const;
/** A vendor; also the name of its built-in provider. */
export type VendorName = (typeof vendorNames)[number];

/** What a provider server was asked for. */
export interface Asked {
  vendor: VendorName;
  model: string;
}

/** A call as a provider server heard it. */
export interface VendorCall extends HeardCall {
  vendor: VendorName;
}

const wires: Record<VendorName, RegExp> = {
  claude: /^\/v1\/messages$/,
  openai: /^\/v1\/chat\/completions$/,
  gemini: /^\/v1beta\/models\/[^/]+:streamGenerateContent(\?.*)?$/,
};

/** Three provider servers that are not ours, one for each vendor's wire. */
export class Vendors {
  readonly #servers: Record<VendorName, Aimock>;

  private constructor(servers: Record<VendorName, Aimock>) {
    this.#servers = servers;
  }

  /** Starts the three at the same pace. */
  static async start(pace: Omit<AimockOptions, "name">): Promise<Vendors> {
    const [claude, openai, gemini] = await Promise.all([
      startAimock({ ...pace, name: "claude" }),
      startAimock({ ...pace, name: "openai" }),
      startAimock({ ...pace, name: "gemini" }),
    ]);
    return new Vendors({ claude, openai, gemini });
  }

  /** Ends the three. */
  async stop(): Promise<void> {
    await Promise.all(vendorNames.map((name) => this.#servers[name].stop()));
  }

  /** The server of a vendor. */
  of(name: VendorName): Aimock {
    return this.#servers[name];
  }

  /** Settings under which the provider `vendor` answers with `model`; the others stand beside it. */
  settings({ vendor, model }: Asked, more: object = {}): object {
    const provider = (name: VendorName): object => ({
      baseUrl: this.#servers[name].url,
      model: name === vendor ? model : `${name}-unused`,
    });
    return {
      provider: vendor,
      providers: { claude: provider("claude"), openai: provider("openai"), gemini: provider("gemini") },
      reload: { debounceMs: 100 },
      ...more,
    };
  }

  /** Every call that any of the servers heard, in the order of arrival. */
  async calls(): Promise<VendorCall[]> {
    const heard = await Promise.all(
      vendorNames.map(async (vendor) =>
        (await this.#servers[vendor].calls()).map((call) => ({ ...call, vendor })),
      ),
    );
    return heard.flat().sort((one, other) => one.at - other.at);
  }

  /** The journal of each server, calls of its wire alone: a call that is of no wire fails. */
  async journals(): Promise<Record<VendorName, JournalEntry[]>> {
    const [claude, openai, gemini] = await Promise.all(vendorNames.map((name) => this.#journal(name)));
    return { claude: claude ?? [], openai: openai ?? [], gemini: gemini ?? [] };
  }

  async #journal(name: VendorName): Promise<JournalEntry[]> {
    const entries = (await this.#servers[name].journal()).filter(({ path }) => !path.startsWith("/heard"));
    const foreign = entries.find(({ path }) => !wires[name].test(path));
    if (foreign) throw new Error(`${name} was asked for ${foreign.path}`);
    return entries;
  }
}

import { errorText } from "../core/errors.ts";
import type { Plan } from "../core/events.ts";
import { AcceptedSettings } from "../settings/accepted.ts";
import type { InForce } from "../settings/in-force.ts";
import type { Settings } from "../settings/schema.ts";
import { SettingsKeeper } from "../settings/settings.ts";
import { PathWatchers } from "../watch/path-watchers.ts";
import { SharedWatchers } from "../watch/shared-watchers.ts";
import type { DaemonOptions, Foundation } from "./foundation.ts";
import type { Outside } from "./outside.ts";

/** What is kept up with the settings file. */
export interface KeptSettingsParts {
  options: DaemonOptions;
  outside: Outside;
  foundation: Foundation;
  /** How many sessions other settings would touch. */
  countAffected: (settings: Settings) => Plan["sessions"];
  /** Another revision is in force. */
  onChange: (inForce: InForce) => void;
}

/** The settings of a daemon: their keeper, and the watch on their file and on those it refers to, whose hints it gets. */
export class KeptSettings {
  readonly keeper: SettingsKeeper;
  readonly #parts: KeptSettingsParts;
  readonly #watchers: PathWatchers;
  /** How often they were to be polled when that was last followed. */
  #followedPollMs: number | undefined;

  constructor(parts: KeptSettingsParts) {
    this.#parts = parts;
    this.keeper = this.#createKeeper();
    this.#watchers = this.#createWatchers();
  }

  /** Those in force; there are some from `start` on. */
  get now(): Settings {
    return this.keeper.inForce.settings;
  }

  /** How the file is watched. */
  get watching(): "native" | "polling" {
    return this.#watchers.mode;
  }

  /** Puts them in force; see `SettingsKeeper.start`. */
  async start(): Promise<void> {
    const { options, foundation } = this.#parts;
    await this.keeper.start(options.isStrict, options.handover !== undefined);
    foundation.followLevel(() => this.now.log.level);
    foundation.store.setDurability(this.now.storage.durability);
  }

  /** Begins to watch. */
  watch(): void {
    this.#watchers.watch(this.keeper.files);
  }

  /** Ends the watch. */
  unwatch(): void {
    this.#watchers.stop();
  }

  /** Says in the log what of the file is not in force. */
  logProblems(): void {
    const { options, foundation } = this.#parts;
    for (const { path, message } of this.keeper.problems)
      foundation.log.warn(`${options.settingsPath} is not in force: ${path} ${message}`);
    this.#logIgnored();
  }

  /** Another revision is in force: goes on looking at the files as that one says. */
  follow(): void {
    this.#logIgnored();
    const { pollMs } = this.now.reload;
    if (pollMs !== this.#followedPollMs) this.#watchers.poll();
    this.#followedPollMs = pollMs;
  }

  #createKeeper(): SettingsKeeper {
    const { options, outside, foundation, countAffected, onChange } = this.#parts;
    const { clock, env, files, exchange } = outside;
    const { store, secrets, tell, onFault, folder } = foundation;
    return new SettingsKeeper({
      path: options.settingsPath,
      accepted: new AcceptedSettings(folder.accepted, files),
      env,
      flags: options.flags,
      exchange,
      files,
      clock,
      store,
      learnSecrets: (values) => secrets.learn(values),
      countAffected,
      onChange: (inForce) => {
        store.setDurability(inForce.settings.storage.durability);
        onChange(inForce);
      },
      onLooked: () => this.watch(),
      tell,
      onFault,
    });
  }

  #createWatchers(): PathWatchers {
    const { clock, random, watchFolder, files } = this.#parts.outside;
    const { log } = this.#parts.foundation;
    return new PathWatchers({
      shared: new SharedWatchers({ clock, random, watchFolder, files }),
      clock,
      pollMs: () => this.now.reload.pollMs,
      onHint: (kind) => this.keeper.notice(kind),
      onFault: (thrown, path = "the settings") => log.warn(`watching ${path}: ${errorText(thrown)}`),
    });
  }

  /** Says of a settings file of claude-mem's what in it means nothing here. */
  #logIgnored(): void {
    const { legacy } = this.keeper.inForce.reading;
    if (legacy && legacy.ignored.length > 0)
      this.#parts.foundation.log.info(`the settings are claude-mem's; ignored: ${legacy.ignored.join(", ")}`);
  }
}

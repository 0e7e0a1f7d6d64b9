import type { Problem } from "../core/errors.ts";
import type { NewEvent, Plan } from "../core/events.ts";
import type { Acceptable } from "./in-force.ts";
import { type Secrets, redactProblems } from "./secrets.ts";

/** How the settings file stands to what is in force: equal, bad, or in `manual` mode an edit that waits. */
export class FileStanding {
  readonly #copies: Secrets;
  readonly #tell: (events: readonly NewEvent[]) => void;
  #problems: readonly Problem[] = [];
  /** The content that was last told to be bad, so that it is told once. */
  #rejected = "";
  #waiting: Acceptable | undefined;

  /** `copies` finds secrets of settings that were in force in what is wrong with others. */
  constructor(copies: Secrets, tell: (events: readonly NewEvent[]) => void) {
    this.#copies = copies;
    this.#tell = tell;
  }

  /** What is wrong with the file; empty when it is what is in force, or waits to be. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** An edit that is good and not applied yet. */
  get waiting(): Acceptable | undefined {
    return this.#waiting;
  }

  /** Another revision is in force: what was wrong, or waited, is over. */
  clear(): void {
    this.#problems = [];
    this.#rejected = "";
    this.#waiting = undefined;
  }

  /** The file is judged anew, or the edit that waited was applied. */
  endWait(): void {
    this.#waiting = undefined;
  }

  /** Nothing is wrong with the file; that is told where it was bad and nothing else tells it (`isTold`). */
  approve(isTold: boolean): void {
    const wasBad = this.#problems.length > 0;
    this.#problems = [];
    this.#rejected = "";
    if (wasBad && !isTold) this.#tell([{ type: "settings.recovered", data: {} }]);
  }

  /** An edit is good and waits to be applied. */
  wait(waiting: Acceptable, plan: Plan): void {
    this.#waiting = waiting;
    this.approve(false);
    this.#tell([{ type: "settings.planned", data: { plan } }]);
  }

  /** The file is bad; `mark` tells its content from another's. */
  reject(found: readonly Problem[], mark: string): void {
    const problems = redactProblems(found, this.#copies);
    this.#problems = problems;
    const content = JSON.stringify([mark, problems]);
    if (content === this.#rejected) return;
    this.#rejected = content;
    this.#tell([{ type: "settings.rejected", data: { problems } }]);
  }
}

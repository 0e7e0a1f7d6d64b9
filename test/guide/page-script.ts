import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Step } from "./step.ts";

/**
 * What stands before every page's script. Whoever waits for what a command beside it shows gives up after a while, or
 * where that has ended; while he waits for a command that follows something happens that it can show.
 */
const prelude = `
trap 'segue stop >/dev/null 2>&1; kill $(jobs -p) 2>/dev/null; wait' EXIT
looks=0
another_look() {
  kill -0 "$!"
  looks=$((looks + 1))
  [ $looks -lt 1000 ]
  [ $# -eq 0 ] || [ $((looks % 10)) -ne 0 ] || segue send elsewhere something >/dev/null
  sleep 0.05
}
set -eu
`;

/** The port that the pages speak of. */
const writtenPort = "4747";

/** The blocks of a page as one script of the shell, which writes down of each what it printed and how it ended. */
export class PageScript {
  /** To be run by `sh`. */
  readonly text: string;
  readonly #port: number;

  /** `records`: the folder for what is written down: `N.out`, `N.err` and `N.end` of the Nth block, from 0. */
  constructor({ steps, records, port }: { steps: readonly Step[]; records: string; port: number }) {
    this.#port = port;
    this.text = prelude + steps.map((step, at) => this.#part(step, join(records, String(at)))).join("\n");
  }

  #part(step: Step, record: string): string {
    const output = `>${record}.out 2>${record}.err`;
    const written = `echo "$?" >${record}.end`;
    switch (step.kind) {
      case "run":
        // Where it is to fail, in a shell of its own: the page's own goes on.
        return step.exitCode === 0
          ? `{\n${this.#here(step.commands)}} ${output} </dev/null\n${written}`
          : endedWith(`(\n${this.#here(step.commands)}) ${output} </dev/null`, record, step.exitCode);
      case "serve":
        return `${this.#beside(step.command, output)}\nuntil grep -q 'listening on' ${record}.out; do another_look; done\n${written}`;
      case "follow":
        return `${this.#beside(step.command, output)}\nuntil [ -s ${record}.out ]; do another_look something; done\nkill "$!"\n${written}`;
      case "check":
        writeFileSync(`${record}.jsonc`, step.settings);
        return `segue check ${record}.jsonc ${output}\n${written}`;
      case "save":
        writeFileSync(`${record}.jsonc`, step.settings);
        return endedWith(
          `(\ncp ${record}.jsonc "$HOME/.config/segue/settings.json"\nsegue reload) ${output}`,
          record,
          step.exitCode,
        );
      case "expect":
      case "show":
        return "";
    }
  }

  #beside(command: string, output: string): string {
    return `(exec ${this.#here(command)}) ${output} </dev/null &`;
  }

  /** The daemon of a page has a port that is free here. */
  #here(text: string): string {
    return text
      .replaceAll(`127.0.0.1:${writtenPort}`, `127.0.0.1:${this.#port}`)
      .replaceAll("segue serve", `segue serve --port ${this.#port}`);
  }
}

/** Writes down how a command ended, and goes on only where that is as it should be. */
function endedWith(command: string, record: string, wanted: number): string {
  const written = `echo "$?" >${record}.end`;
  return `${command} && ${written} || ${written}\n[ "$(cat ${record}.end)" = ${wanted} ]`;
}

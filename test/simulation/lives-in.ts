import { join } from "node:path";
import type { Lived } from "./mutant-hunt.ts";

/** A life that takes longer never rests: an ordinary one takes less than a second, on a busy machine a few. */
const longestLifeMs = 60_000;

/** A life that is over. */
export interface PastLife extends Lived {
  steps: number;
}

/**
 * Lives these lives in a tree, in a process of their own. One that never rests, or takes its process with it, is
 * told of as broken, and is the last.
 */
export async function* livesIn(
  tree: string,
  seed: string,
  from: number,
  to: number,
): AsyncGenerator<PastLife> {
  const program = join(tree, "test/simulation/mutant-hunt.ts");
  const child = Bun.spawn([process.execPath, program, "--seed", seed, "--from", `${from}`, "--to", `${to}`], {
    cwd: tree,
    stdout: "pipe",
    stderr: "ignore",
  });
  const giveUp = (): void => child.kill("SIGKILL");
  let timer = setTimeout(giveUp, longestLifeMs);
  let begun: Lived | undefined;
  try {
    for await (const line of linesOf(child.stdout)) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, longestLifeMs);
      const lived: Lived = JSON.parse(line);
      const { steps } = lived;
      begun = steps === undefined ? lived : undefined;
      if (steps !== undefined) yield { ...lived, steps };
    }
    await child.exited;
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
  }
  const text = child.signalCode === null ? "the process ends by itself" : "it turns in a circle";
  if (begun) yield { ...begun, steps: 0, promise: "it comes to rest", text };
  else if (child.exitCode !== 0)
    throw new Error(`${program} ended with ${child.exitCode ?? child.signalCode}`);
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

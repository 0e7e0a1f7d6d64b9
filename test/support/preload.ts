import { afterAll, afterEach } from "bun:test";
import { configureGlobal } from "fast-check";
import { releasePorts } from "./ports.ts";
import { killLeftChildren, type Scope } from "./processes.ts";
import { removeFolders } from "./workspace.ts";

// The same inputs at each run, so that what passes once passes again; others, and so a search, by another seed.
configureGlobal({ seed: Number(process.env["SEGUE_TEST_SEED"] ?? 20_260_121) });

// Runs after the hooks of the test's own file: what they stop is not left behind.
afterEach(async () => {
  try {
    await failIfLeft("test");
  } finally {
    await releasePorts();
    removeFolders("test");
  }
});

afterAll(async () => {
  try {
    await failIfLeft("file");
  } finally {
    removeFolders("file");
  }
});

async function failIfLeft(scope: Scope): Promise<void> {
  const left = await killLeftChildren(scope);
  if (left.length > 0) throw new Error(`left running at the end of the ${scope}: ${left.join(", ")}`);
}

const pauseMs = 5;

/**
 * Asks `look` until it answers something truthy and returns that. The deadline is there for a test that is broken,
 * not for one that is slow: after it this fails with what was looked for and the last answer.
 */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  deadlineMs = 20_000,
): Promise<NonNullable<T>> {
  const until = performance.now() + deadlineMs;
  for (;;) {
    const answer = await look();
    if (answer) return answer;
    if (performance.now() > until)
      throw new Error(`not within ${deadlineMs} ms: ${what} (last answer: ${Bun.inspect(answer)})`);
    await Bun.sleep(pauseMs);
  }
}

import type { Browser, WatchedPage } from "../support/browser.ts";
import { type Segue, type SegueOptions, startSegue } from "../support/segue.ts";

/** Settings of the daemons that are looked at: two providers that answer at once, and one that takes its time. */
export const settings = {
  provider: "first",
  providers: {
    first: { kind: "echo", model: "one" },
    second: { kind: "echo", model: "two" },
    slow: { kind: "echo", model: "slow", delayMs: 600_000 },
  },
  reload: { debounceMs: 20, staggerMs: 10 },
  daemon: { graceMs: 100 },
};

/** A daemon, and a page of its dashboard. */
export interface Visit extends WatchedPage {
  segue: Segue;
}

/** Starts a daemon and waits until its dashboard is live at a place such as `#/sessions`. */
export async function visit(browser: Browser, place: string, options: SegueOptions = {}): Promise<Visit> {
  const segue = await startSegue({ settings, ...options });
  const watched = await browser.visit(`${segue.url}/${place}`);
  await watched.page.getByText("Live", { exact: true }).waitFor();
  return { segue, ...watched };
}

/** Closes the page and stops the daemon. */
export async function leave({ page, segue }: Visit): Promise<void> {
  await page.context().close();
  await segue.stop();
}

/** Says something in a session, and waits for the reply. */
export async function talk(segue: Segue, session: string): Promise<void> {
  const content = `hello ${session}`;
  await segue.post(`/api/sessions/${session}/messages`, { content }, { Prefer: "wait=20" });
}

/**
 * `bun run dashboard:load`: the table of 1,000 sessions in a real browser while 50 messages a second go through them
 * for 30 s. Fails where a task of the page took more than 100 ms, a row is missing or not as the daemon has it
 * afterwards, or the heap is more than 1.5 times as large as before.
 */
import type { CDPSession, Page } from "playwright-core";
import { countText } from "../../src/dashboard/words/count-text.ts";
import { Browser } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { type Segue, startSegue } from "../support/segue.ts";

/** Another number may be given. */
const sessionCount = Number(process.argv[2] ?? 1000);
const changesPerSecond = 50;
const seconds = 30;
const longestTaskMs = 100;
const mostHeapGrowth = 1.5;

/** A row as the page shows it, or would have to. */
interface Row {
  id: string;
  turns: string;
  pending: string;
}

interface SessionPage {
  items: { id: string; turns: number; pending: number }[];
  next: string | null;
}

async function main(): Promise<void> {
  const segue = await startSegue({
    settings: { provider: "quick", providers: { quick: { kind: "echo", model: "quick" } } },
  });
  const browser = await Browser.open();
  try {
    process.exitCode = (await measure(segue, browser)) ? 0 : 1;
  } finally {
    await browser.close();
    await segue.stop();
  }
}

async function measure(segue: Segue, browser: Browser): Promise<boolean> {
  await makeSessions(segue);
  const { page, complaints } = await browser.visit(`${segue.url}/#/sessions`);
  await page.getByText(`${sessionCount.toLocaleString("en")} sessions`).waitFor();
  const devtools = await page.context().newCDPSession(page);
  const heapBefore = await heapOf(devtools);
  await page.evaluate(watchTasks);
  await change(segue);
  const tasks = await page.evaluate(() => window.segueTasks);
  await eventually("every turn has ended", async () => (await stats(segue)).pendingMessages === 0);
  const wrong = await eventually("the rows are as the daemon has them", async () => {
    const missing = differences(await expectedRows(segue), await shownRows(page));
    return missing.length === 0 ? { rows: 0 } : undefined;
  }).catch(async () => ({ rows: differences(await expectedRows(segue), await shownRows(page)).length }));
  const heapAfter = await heapOf(devtools);
  const growth = heapAfter / heapBefore;
  const longest = Math.max(0, ...tasks);
  console.log(`turns that went through: ${(await stats(segue)).turns}`);
  console.log(
    `longest task: ${longest.toFixed(0)} ms (at most ${longestTaskMs}); over 50 ms: ${tasks.length}`,
  );
  console.log(`rows lost or wrong: ${wrong.rows} of ${sessionCount}`);
  console.log(
    `heap: ${mib(heapBefore)} before, ${mib(heapAfter)} after, ${growth.toFixed(2)} times (at most ${mostHeapGrowth})`,
  );
  for (const complaint of complaints) console.log(complaint);
  return longest <= longestTaskMs && wrong.rows === 0 && growth <= mostHeapGrowth && complaints.length === 0;
}

async function makeSessions(segue: Segue): Promise<void> {
  for (let index = 0; index < sessionCount; index += 1)
    await segue.post("/api/sessions", { id: nameOf(index), labels: { team: `team-${index % 7}` } });
}

function nameOf(index: number): string {
  return `session-${String(index).padStart(5, "0")}`;
}

/** A message at a time, each to another session, all over the table; late ones are made up for. */
async function change(segue: Segue): Promise<void> {
  const began = performance.now();
  for (let sent = 0; sent < changesPerSecond * seconds; sent += 1) {
    await segue.post(`/api/sessions/${nameOf((sent * 379) % sessionCount)}/messages`, {
      content: `change ${sent}`,
    });
    const due = began + (sent * 1000) / changesPerSecond;
    if (due > performance.now()) await Bun.sleep(due - performance.now());
  }
}

function stats(segue: Segue): Promise<{ pendingMessages: number; turns: number }> {
  return segue.get("/api/stats");
}

/** Runs in the page: notes how long each of its tasks took that took more than 50 ms. */
function watchTasks(): void {
  window.segueTasks = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.segueTasks.push(duration);
  });
  observer.observe({ type: "longtask" });
}

async function expectedRows(segue: Segue): Promise<Row[]> {
  const rows: Row[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const from: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: SessionPage = await segue.get(`/api/sessions?limit=1000${from}`);
    for (const { id, turns, pending } of page.items)
      rows.push({ id, turns: countText(turns), pending: countText(pending) });
    cursor = page.next;
  }
  return rows;
}

/** Every row, by scrolling from the top to the end. */
function shownRows(page: Page): Promise<Row[]> {
  return page.evaluate(async () => {
    const scroller = document.querySelector(".scroller");
    if (!scroller) return [];
    const rows = new Map<string, Row>();
    for (let top = 0; top <= scroller.scrollHeight; top += 400) {
      scroller.scrollTop = top;
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      for (const row of document.querySelectorAll<HTMLElement>("[data-session]")) {
        const [pending, turns] = [...row.querySelectorAll(".number")].map((cell) => cell.textContent);
        const id = row.dataset["session"] ?? "";
        rows.set(id, { id, turns: turns ?? "", pending: pending ?? "" });
      }
    }
    return [...rows.values()];
  });
}

function differences(expected: readonly Row[], shown: readonly Row[]): string[] {
  const found = new Map(shown.map((row) => [row.id, row]));
  return expected.flatMap(({ id, turns, pending }) => {
    const row = found.get(id);
    return row?.turns === turns && row.pending === pending ? [] : [id];
  });
}

/** What is in use once the rubbish is gone, in bytes. */
async function heapOf(devtools: CDPSession): Promise<number> {
  await devtools.send("HeapProfiler.collectGarbage");
  return (await devtools.send("Runtime.getHeapUsage")).usedSize;
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

declare global {
  interface Window {
    /** Milliseconds of each long task of the page. */
    segueTasks: number[];
  }
}

await main();

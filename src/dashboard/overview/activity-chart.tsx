import "uplot/dist/uPlot.min.css";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Activity } from "../link/answers.ts";
import { Panel } from "../layout/pieces.tsx";
import { useCopy, useParts } from "../layout/parts.ts";
import { countText, thingsText } from "../words/count-text.ts";
import { refreshedEach } from "./refreshed-each.ts";

/** Turns, failures and the queue over the last hour. */
export function ActivityChart(): JSX.Element {
  const { copies, clock } = useParts();
  const activity = useCopy(copies.activity);
  useEffect(() => refreshedEach(clock, activity?.stepMs ?? 15_000, copies.activity), [activity?.stepMs]);
  return (
    <Panel title="The last hour" wide aside={<p class="muted">{activity && summary(activity)}</p>}>
      {activity && activity.items.length > 1 ? (
        <div class="charts">
          <Chart title="Turns and failures" activity={activity} lines={turnsAndFailures} />
          <Chart title="Messages waiting" activity={activity} lines={queue} />
        </div>
      ) : (
        <p class="muted">The chart begins half a minute after the daemon does.</p>
      )}
    </Panel>
  );
}

function summary({ items }: Activity): string {
  const sum = (of: "turns" | "failures"): number => items.reduce((total, item) => total + item[of], 0);
  const most = Math.max(0, ...items.map(({ pending }) => pending));
  return `${thingsText(sum("turns"), "turn")}, ${thingsText(sum("failures"), "failure")}, at most ${countText(most)} waiting`;
}

interface Line {
  key: "turns" | "failures" | "pending";
  label: string;
  /** The name of its colour in the style sheet. */
  color: string;
}

const turnsAndFailures: readonly Line[] = [
  { key: "turns", label: "Turns", color: "--accent" },
  { key: "failures", label: "Failures", color: "--bad" },
];
const queue: readonly Line[] = [{ key: "pending", label: "Waiting", color: "--wait" }];

function Chart(props: { title: string; activity: Activity; lines: readonly Line[] }): JSX.Element {
  const { title, activity, lines } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  useEffect(() => {
    const element = place.current;
    return element ? drawnIn(element, title, lines, (drawn) => (plot.current = drawn)) : undefined;
  }, []);
  useEffect(() => plot.current?.setData(dataOf(activity, lines)));
  return (
    <figure>
      <figcaption>
        {lines.map(({ label, color }) => (
          <span key={label} class="key">
            <i style={{ background: `var(${color})` }} /> {label}
          </span>
        ))}
      </figcaption>
      <div ref={place} role="img" aria-label={`${title} over the last hour: ${summary(activity)}`} />
    </figure>
  );
}

function dataOf({ items }: Activity, lines: readonly Line[]): uPlot.AlignedData {
  const times = items.map(({ at }) => Date.parse(at) / 1000);
  return [times, ...lines.map(({ key }) => items.map((item) => item[key]))];
}

const height = 150;

/** Draws a chart as wide as its place, and anew when the theme changes; the answer takes it away. */
function drawnIn(
  element: HTMLElement,
  title: string,
  lines: readonly Line[],
  onDrawn: (plot: uPlot) => void,
): () => void {
  let plot: uPlot | undefined;
  const draw = (): void => {
    const data = plot?.data;
    plot?.destroy();
    plot = new uPlot(optionsOf(element, title, lines), data ?? [[], ...lines.map(() => [])], element);
    onDrawn(plot);
  };
  draw();
  const theme = window.matchMedia("(prefers-color-scheme: dark)");
  theme.addEventListener("change", draw);
  const observer = new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height }));
  observer.observe(element);
  return () => {
    observer.disconnect();
    theme.removeEventListener("change", draw);
    plot?.destroy();
  };
}

function optionsOf(element: HTMLElement, title: string, lines: readonly Line[]): uPlot.Options {
  const styles = getComputedStyle(element);
  const color = (name: string): string => styles.getPropertyValue(name).trim();
  const axis = {
    stroke: color("--muted"),
    font: `11px ${styles.fontFamily}`,
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: {
      show: true,
      points: { show: false },
      y: false,
      drag: { x: false, y: false },
      sync: { key: title },
    },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(4, Math.ceil(high * 1.1))] } },
    axes: [
      { ...axis, size: 28, grid: { show: false }, values: (_plot, times) => times.map(timeOfDay) },
      { ...axis, size: 44, values: (_plot, values) => values.map((value) => countText(value)) },
    ],
    series: [
      {},
      ...lines.map(({ label, color: name }) => ({
        label,
        stroke: color(name),
        fill: `${color(name)}22`,
        width: 1.5,
        points: { show: false },
      })),
    ],
  };
}

function timeOfDay(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

import { svg, html, type TemplateResult } from "lit";

const BARS = 14;
const BAR_WIDTH = 5;
const HEIGHT = 18;
/** A distribution of fewer tells nothing. */
const LEAST = 12;
/** The slowest to the fastest; below it all are about the same. */
const LEAST_SPREAD = 1.5;

/** How many durations fall into each of equal steps of their logarithm; undefined for too few. */
export function durationBars(ascending: readonly number[]): number[] | undefined {
  const first = Math.max(1, ascending[0] ?? 1);
  const last = Math.max(1, ascending.at(-1) ?? 1);
  if (ascending.length < LEAST || last < first * LEAST_SPREAD) return undefined;
  const span = Math.log(last / first);
  const bars = new Array<number>(BARS).fill(0);
  for (const duration of ascending) {
    const place = Math.floor((Math.log(Math.max(1, duration) / first) / span) * BARS);
    const bar = Math.min(BARS - 1, Math.max(0, place));
    bars[bar] = (bars[bar] ?? 0) + 1;
  }
  return bars;
}

/** A small picture of the distribution; the words beside it tell its middle and its end. */
export function sparkline(bars: readonly number[]): TemplateResult {
  const most = Math.sqrt(Math.max(...bars));
  return html`<svg
    class="sparkline"
    width=${BARS * BAR_WIDTH}
    height=${HEIGHT}
    viewBox="0 0 ${BARS * BAR_WIDTH} ${HEIGHT}"
    aria-hidden="true"
  >
    ${bars.map((count, at) => {
      // a single slow host has to be seen among thousands
      const height = count === 0 ? 0 : Math.max(1.5, (Math.sqrt(count) / most) * HEIGHT);
      return svg`<rect x=${at * BAR_WIDTH} y=${HEIGHT - height} width=${BAR_WIDTH - 1} height=${height}></rect>`;
    })}
  </svg>`;
}

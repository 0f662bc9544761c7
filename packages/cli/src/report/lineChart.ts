import { number } from '../progress/progressText.ts';
import { type Axis, createAxis } from './axis.ts';
import { escapeXml } from './escapeXml.ts';

export interface ChartPoint {
  readonly x: number;
  readonly y: number;
}

export interface Series {
  /** Beside the end of its line; '' for none. */
  readonly label: string;
  /** Which of the page's colours; see page.ts. */
  readonly color: number;
  /** Several runs of the same: drawn thin, their mean thick. */
  readonly lines: readonly (readonly ChartPoint[])[];
}

export interface ChartOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly formatX: (x: number) => string;
  readonly logarithmicX?: boolean;
  /** A level worth a dashed line. */
  readonly level?: { readonly y: number; readonly label: string };
  /** A place worth a dashed line. */
  readonly place?: { readonly x: number; readonly label: string };
}

const width = 860;
const height = 400;
const margin = { left: 66, right: 178, top: 16, bottom: 46 };
const plot = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
/** Losses that span more than this factor are drawn on a logarithmic axis. */
const wide = 20;
const meanPoints = 120;
const labelHeight = 15;

/** Lines over a common axis as SVG, for a page with the style of page.ts. What explodes leaves the picture at the top. */
export function lineChart(series: readonly Series[], options: ChartOptions): string {
  const points = series
    .flatMap(({ lines }) => lines.flat())
    .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  if (points.length === 0) return '<p>There is nothing to draw.</p>';
  const xs = points.map(({ x }) => x);
  const x = createAxis(Math.min(...xs), Math.max(...xs), options.logarithmicX === true);
  const [least, most] = verticalRange(series, points, options.level?.y);
  const y = createAxis(least, most, least > 0 && most / least > wide);
  const toX = (value: number) => margin.left + x.at(value) * plot.width;
  const toY = (value: number) => margin.top + (1 - y.at(value)) * plot.height;
  const path = (line: readonly ChartPoint[]) =>
    line
      .filter((point) => Number.isFinite(point.y) && (!y.logarithmic || point.y > 0))
      .map((point) => `${toX(point.x).toFixed(1)},${toY(point.y).toFixed(1)}`)
      .join(' ');
  const clip = `clip-${options.title.replace(/\W+/g, '-').toLowerCase()}`;
  const means = series.map(({ lines }) => (lines.length > 1 ? meanLine(lines, x) : (lines[0] ?? [])));
  return `<figure>
<figcaption>${escapeXml(options.title)}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(options.title)}">
<clipPath id="${clip}"><rect x="${margin.left}" y="${margin.top - 4}" width="${plot.width + 4}" height="${plot.height + 8}"/></clipPath>
${grid(x, y, toX, toY, options)}
<g clip-path="url(#${clip})">
${series.map(({ lines, color }) => (lines.length < 2 ? '' : lines.map((line) => `<polyline class="seed c${color}" points="${path(line)}"/>`).join('\n'))).join('\n')}
${series.map(({ color, label }, index) => `<polyline class="mean c${color}" points="${path(means[index])}"><title>${escapeXml(label)}</title></polyline>`).join('\n')}
</g>
${endLabels(series, means, toX, toY)}
</svg>
</figure>`;
}

/** From the least to where the lines begin, or a little above. */
function verticalRange(
  series: readonly Series[],
  points: readonly ChartPoint[],
  level: number | undefined,
): [number, number] {
  const starts = series
    .flatMap(({ lines }) => lines.map((line) => line[0]?.y ?? Number.NaN))
    .filter(Number.isFinite);
  const ys = points.map(({ y }) => y);
  const least = Math.min(...ys, level ?? Number.POSITIVE_INFINITY);
  const top = Math.min(
    Math.max(...ys),
    Math.max(...starts) + 0.15 * Math.abs(Math.max(...starts) - least) || Number.POSITIVE_INFINITY,
  );
  const most = Math.max(top, level ?? Number.NEGATIVE_INFINITY);
  if (most > least)
    return [least > 0 && most / least > wide ? least * 0.9 : least - 0.04 * (most - least), most];
  return [least - 1, most + 1];
}

/** The mean of several lines from where all of them have begun, at even distances. One that has ended stays as it was: its training was over. */
function meanLine(lines: readonly (readonly ChartPoint[])[], x: Axis): ChartPoint[] {
  const used = lines.filter((line) => line.length > 0);
  const begin = Math.max(...used.map((line) => line[0].x));
  const end = Math.max(...used.map((line) => line[line.length - 1].x));
  if (!(end > begin)) return [];
  const [from, to] = x.logarithmic ? [Math.log(begin), Math.log(end)] : [begin, end];
  return Array.from({ length: meanPoints + 1 }, (_, index) => {
    const place = from + ((to - from) * index) / meanPoints;
    const at = Math.min(end, Math.max(begin, x.logarithmic ? Math.exp(place) : place));
    return { x: at, y: used.reduce((sum, line) => sum + valueAt(line, at), 0) / used.length };
  });
}

/** On the straight line between the two points around it. */
function valueAt(line: readonly ChartPoint[], x: number): number {
  const after = line.findIndex((point) => point.x >= x);
  if (after < 0) return line[line.length - 1].y;
  if (after === 0) return line[0].y;
  const [a, b] = [line[after - 1], line[after]];
  return b.x === a.x ? b.y : a.y + ((b.y - a.y) * (x - a.x)) / (b.x - a.x);
}

function grid(
  x: Axis,
  y: Axis,
  toX: (value: number) => number,
  toY: (value: number) => number,
  options: ChartOptions,
): string {
  const right = margin.left + plot.width;
  const bottom = margin.top + plot.height;
  const { level, place } = options;
  return [
    ...y.ticks.map((tick) => {
      const at = toY(tick).toFixed(1);
      return `<line class="grid" x1="${margin.left}" x2="${right}" y1="${at}" y2="${at}"/><text x="${margin.left - 8}" y="${at}" dy="4" text-anchor="end">${shortNumber(tick)}</text>`;
    }),
    ...x.ticks.map((tick) => {
      const at = toX(tick).toFixed(1);
      return `<line class="tick" x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 5}"/><text x="${at}" y="${bottom + 19}" text-anchor="middle">${escapeXml(options.formatX(tick))}</text>`;
    }),
    `<line class="axis" x1="${margin.left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>`,
    `<text class="label" x="${margin.left + plot.width / 2}" y="${height - 6}" text-anchor="middle">${escapeXml(options.xLabel)}</text>`,
    `<text class="label" transform="translate(14 ${margin.top + plot.height / 2}) rotate(-90)" text-anchor="middle">${escapeXml(options.yLabel)}${y.logarithmic ? ' (logarithmic)' : ''}</text>`,
    ...(level === undefined
      ? []
      : [
          `<line class="level" x1="${margin.left}" x2="${right}" y1="${toY(level.y).toFixed(1)}" y2="${toY(level.y).toFixed(1)}"/><text class="level" x="${margin.left + 6}" y="${(toY(level.y) - 6).toFixed(1)}">${escapeXml(level.label)}</text>`,
        ]),
    ...(place === undefined
      ? []
      : [
          `<line class="level" x1="${toX(place.x).toFixed(1)}" x2="${toX(place.x).toFixed(1)}" y1="${margin.top}" y2="${bottom}"/><text class="level" x="${(toX(place.x) - 6).toFixed(1)}" y="${margin.top + 12}" text-anchor="end">${escapeXml(place.label)}</text>`,
        ]),
  ].join('\n');
}

/** Beside the end of each line its name, moved apart where several end together. */
function endLabels(
  series: readonly Series[],
  means: readonly (readonly ChartPoint[])[],
  toX: (value: number) => number,
  toY: (value: number) => number,
): string {
  const bottom = margin.top + plot.height;
  const labels = series
    .map(({ label, color }, index) => ({
      label,
      color,
      end: means[index].findLast(({ y }) => Number.isFinite(y)),
    }))
    .flatMap(({ label, color, end }) =>
      end === undefined || label === ''
        ? []
        : [{ label, color, x: toX(end.x), y: Math.min(bottom, Math.max(margin.top, toY(end.y))) }],
    )
    .sort((a, b) => a.y - b.y);
  const places = labels.map(({ y }) => y);
  for (let index = 1; index < places.length; index++)
    places[index] = Math.max(places[index], places[index - 1] + labelHeight);
  for (let index = places.length - 1, most = bottom + 10; index >= 0; index--) {
    places[index] = Math.min(places[index], most);
    most = places[index] - labelHeight;
  }
  const at = margin.left + plot.width + 14;
  return labels
    .map(
      ({ label, color, x, y }, index) =>
        `<circle class="end c${color}" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3"/><polyline class="leader c${color}" points="${(x + 4).toFixed(1)},${y.toFixed(1)} ${at - 3},${places[index].toFixed(1)}"/><text class="name c${color}" x="${at}" y="${places[index].toFixed(1)}" dy="4">${escapeXml(shortened(label))}</text>`,
    )
    .join('\n');
}

function shortened(label: string): string {
  return label.length > 21 ? `${label.slice(0, 20)}…` : label;
}

function shortNumber(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(4))) : number(value);
}

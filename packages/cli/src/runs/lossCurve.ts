import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { number } from '../progress/progressText.ts';
import { escapeXml } from '../report/escapeXml.ts';

const width = 800;
const height = 420;
const margin = { left: 70, right: 20, top: 40, bottom: 45 };
const ticks = 5;

/** The loss over the steps as an SVG picture: training in blue, evaluation as orange dots. A logarithmic axis where the losses span much. */
export function lossCurve(title: string, metrics: readonly MetricEntry[]): string {
  const training = metrics
    .filter((entry) => entry.kind === 'step')
    .filter((entry) => Number.isFinite(entry.loss));
  const evaluation = metrics
    .filter((entry) => entry.kind === 'evaluation')
    .filter((entry) => Number.isFinite(entry.loss));
  const losses = [...training, ...evaluation].map((entry) => entry.loss);
  const lastStep = Math.max(1, ...[...training, ...evaluation].map((entry) => entry.step));
  const least = Math.min(...losses, Number.POSITIVE_INFINITY);
  const most = Math.max(...losses, Number.NEGATIVE_INFINITY);
  const logarithmic = least > 0 && most / least > 50;
  const scale = logarithmic ? Math.log10 : (value: number) => value;
  const unscale = logarithmic ? (value: number) => 10 ** value : (value: number) => value;
  const bottom = losses.length === 0 ? 0 : scale(least);
  const top = losses.length === 0 || most === least ? bottom + 1 : scale(most);

  const x = (step: number) => margin.left + (step / lastStep) * (width - margin.left - margin.right);
  const y = (loss: number) =>
    height -
    margin.bottom -
    ((scale(loss) - bottom) / (top - bottom)) * (height - margin.top - margin.bottom);
  const point = (entry: { step: number; loss: number }) =>
    `${x(entry.step).toFixed(1)},${y(entry.loss).toFixed(1)}`;

  const grid = Array.from({ length: ticks + 1 }, (_, index) => {
    const loss = unscale(bottom + ((top - bottom) * index) / ticks);
    const step = Math.round((lastStep * index) / ticks);
    return [
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(loss).toFixed(1)}" y2="${y(loss).toFixed(1)}" stroke="#e5e7eb"/>`,
      `<text x="${margin.left - 8}" y="${(y(loss) + 4).toFixed(1)}" text-anchor="end">${number(loss)}</text>`,
      `<text x="${x(step).toFixed(1)}" y="${height - margin.bottom + 18}" text-anchor="middle">${step}</text>`,
    ].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#374151">
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="${margin.left}" y="24" font-size="15">${escapeXml(title)}: loss${logarithmic ? ' (logarithmic)' : ''}</text>
${grid.join('\n')}
<text x="${width / 2}" y="${height - 8}" text-anchor="middle">step</text>
<polyline fill="none" stroke="#2563eb" stroke-width="1.2" points="${training.map(point).join(' ')}"/>
${evaluation.map((entry) => `<circle cx="${x(entry.step).toFixed(1)}" cy="${y(entry.loss).toFixed(1)}" r="3" fill="#f97316"/>`).join('\n')}
</svg>
`;
}

import { bytes, number } from '../progress/progressText.ts';
import { escapeXml } from '../report/escapeXml.ts';
import { lineChart } from '../report/lineChart.ts';
import { definitions, page, pageColors } from '../report/page.ts';
import type { Choice } from './chooseMethod.ts';
import type { Failure, MethodResult, Trial } from './compareTrials.ts';
import { comparedCells, comparedColumns, ms } from './describe.ts';
import type { CurvePoint } from './trialCurve.ts';

export interface Report {
  readonly title: string;
  /** One line below the title. */
  readonly under: string;
  readonly trials: readonly Trial[];
  /** In the order in which they were asked for: their colours. */
  readonly methods: readonly string[];
  readonly results: readonly MethodResult[];
  readonly failures: readonly Failure[];
  readonly choice: Choice | undefined;
  readonly target: number;
  readonly evaluatedOn: 'test' | 'train';
  /** Model, data, cluster, machine. */
  readonly facts: readonly (readonly [string, string])[];
}

const axes: readonly {
  title: string;
  xLabel: string;
  x: (point: CurvePoint) => number;
  formatX: (x: number) => string;
}[] = [
  {
    title: 'Loss against time',
    xLabel: 'seconds of training',
    x: ({ timeMs }) => timeMs / 1000,
    formatX: String,
  },
  {
    title: 'Loss against passes over the data',
    xLabel: 'passes over the training data',
    x: ({ passes }) => passes,
    formatX: String,
  },
  {
    title: 'Loss against bytes pushed',
    xLabel: 'gradients and sums sent by the workers',
    x: ({ pushedBytes }) => pushedBytes,
    formatX: (x) => (x === 0 ? '0' : bytes(x)),
  },
];

/** The page of a comparison: HTML that needs nothing else. */
export function compareReport(report: Report): string {
  const { title, under, choice, facts } = report;
  const why =
    choice === undefined
      ? ''
      : `<section class="choice"><h2>Take ${escapeXml(choice.method)}</h2><ul>${list(choice.reasons)}</ul></section>`;
  return page(
    title,
    `<h1>${escapeXml(title)}</h1>
<p class="under">${escapeXml(under)}</p>
${why}
<h2>Results</h2>
${table(report)}
<h2>Curves</h2>
${axes.map((axis) => chart(report, axis)).join('\n')}
<h2>What was trained, and where</h2>
${definitions(facts)}
<h2>How it was measured</h2>
<ul class="notes">${list(notes(report))}</ul>`,
  );
}

function colorOf({ methods }: Report, method: string): number {
  return methods.indexOf(method) % pageColors;
}

function chart(report: Report, { title, xLabel, x, formatX }: (typeof axes)[number]): string {
  const series = report.methods.map((method) => ({
    label: method,
    color: colorOf(report, method),
    lines: report.trials
      .filter((trial) => trial.method === method)
      .map(({ curve }) => curve.map((point) => ({ x: x(point), y: point.loss }))),
  }));
  return lineChart(
    series.filter(({ lines }) => lines.length > 0),
    {
      ...{ title, xLabel, formatX, yLabel: `${report.evaluatedOn} loss` },
      level: { y: report.target, label: `target ${number(report.target)}` },
    },
  );
}

function table(report: Report): string {
  const { results, failures, choice } = report;
  const head = comparedColumns.map((name) => `<th>${name}</th>`).join('');
  const rows = results.map((result) => {
    const [name, ...cells] = comparedCells(result).map(escapeXml);
    const dot = `<span class="dot c${colorOf(report, result.method)}"></span>`;
    const chosen = result.method === choice?.method ? ' class="chosen"' : '';
    return `<tr${chosen}><td>${dot}${name}</td>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const broken = failures.map(
    ({ method, reason }) =>
      `<tr><td>${escapeXml(method)}</td><td class="why" colspan="${comparedColumns.length - 1}">${escapeXml(reason)}</td></tr>`,
  );
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${[...rows, ...broken].join('\n')}</tbody></table></div>`;
}

function notes({ target, evaluatedOn, results }: Report): string[] {
  const slowest = Math.max(...results.map(({ inferenceP99Ms }) => inferenceP99Ms));
  return [
    `Loss and accuracy are of the trained parameters on the ${evaluatedOn} data: mean and standard deviation over the seeds. Thin lines are single seeds, thick ones their mean.`,
    'Training is the time from the placement of the ranks to the last step, without that of evaluations.',
    `To target: until an evaluation first found a loss of ${number(target)} or less; in brackets, how many seeds came so far.`,
    `Inference: one example at a time, median and 99th percentile, ${ms(slowest)} at most. The model is the same for all methods, so differences are chance, unless a method makes parameters 0.`,
    'Passes: examples whose loss, gradient or product with the Hessian was computed, for as many as there are. A whole Hessian counts as one, though it costs more: time tells.',
    'Pushed: payload of the gradients and sums that all workers sent. Memory: the sum of what each server and worker took at most.',
  ];
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `<li>${escapeXml(line)}</li>`).join('');
}

import { ms } from '../compare/describe.ts';
import { bytes, number, percent } from '../progress/progressText.ts';
import { escapeXml } from '../report/escapeXml.ts';
import { lineChart } from '../report/lineChart.ts';
import { definitions, page, pageColors } from '../report/page.ts';
import type { FoundRate } from './findRate.ts';
import type { Rung } from './halve.ts';
import type { Contender } from './searchJob.ts';
import { describePoint } from './searchSpace.ts';

type Facts = readonly (readonly [string, string])[];

/** The page of a learning-rate finder and of the noise scale. */
export function rateReport(title: string, found: FoundRate, advice: readonly string[], facts: Facts): string {
  const chart = lineChart(
    [{ label: 'loss', color: 0, lines: [found.curve.map(({ rate, loss }) => ({ x: rate, y: loss }))] }],
    {
      title: 'Training loss while the learning rate grows',
      xLabel: 'learning rate (logarithmic)',
      yLabel: 'smoothed loss',
      formatX: rateText,
      logarithmicX: true,
      ...(found.rate !== undefined && { place: { x: found.rate, label: `take ${rateText(found.rate)}` } }),
    },
  );
  return page(
    title,
    `${heading(title, advice)}\n<h2>Curve</h2>\n${chart}\n<h2>What was trained, and where</h2>\n${definitions(facts)}`,
  );
}

/** The page of a search. */
export function searchReport(
  title: string,
  contenders: readonly Contender[],
  rungs: readonly Rung[],
  advice: readonly string[],
  facts: Facts,
): string {
  const chart = lineChart(
    contenders
      .filter(({ curve }) => curve.length > 0)
      .map(({ number, curve }, place) => ({
        label: place < pageColors ? `trial ${number}` : '',
        color: place % pageColors,
        lines: [curve.map(({ passes, loss }) => ({ x: passes, y: loss }))],
      })),
    {
      title: 'Loss against passes over the data',
      xLabel: 'passes over the training data',
      yLabel: 'loss',
      formatX: String,
    },
  );
  return page(
    title,
    `${heading(title, advice)}
<h2>Trials</h2>
${table(contenders, rungs)}
<h2>Curves</h2>
${chart}
<h2>What was trained, and where</h2>
${definitions(facts)}`,
  );
}

export function rateText(rate: number): string {
  return rate >= 1e-3 && rate < 1e4
    ? String(Number(rate.toPrecision(2)))
    : rate.toExponential(1).replace('.0e', 'e');
}

/** Per trial: what it was, how far it came, and how good it was there; furthest and best first. */
export function searchCells(contender: Contender, rungs: readonly Rung[]): string[] {
  const { number: trial, point, rungs: done, loss, accuracy, passes, trainMs } = contender;
  return [
    String(trial),
    describePoint(point),
    number(loss),
    accuracy === null ? '-' : percent(accuracy),
    `${done} of ${rungs.length}`,
    passes.toPrecision(3),
    ms(trainMs),
  ];
}

export const searchColumns = ['trial', 'values', 'loss', 'accuracy', 'rungs', 'passes', 'training'] as const;

export function facts(
  model: { readonly parameters: number; readonly trainSize: number },
  cluster: { readonly servers: number; readonly workers: number },
  machine: string,
): Facts {
  return [
    ['model', `${model.parameters.toLocaleString('en-US')} parameters, ${bytes(model.parameters * 4)}`],
    ['data', `${model.trainSize.toLocaleString('en-US')} training examples`],
    ['cluster', `each trial one of its own: ${cluster.servers} servers, ${cluster.workers} workers`],
    ['machine', machine],
  ];
}

function heading(title: string, advice: readonly string[]): string {
  const items = advice.map((line) => `<li>${escapeXml(line)}</li>`).join('');
  return `<h1>${escapeXml(title)}</h1><p class="under">${new Date().toISOString().slice(0, 10)}</p>
<section class="choice"><h2>What it says</h2><ul>${items}</ul></section>`;
}

function table(contenders: readonly Contender[], rungs: readonly Rung[]): string {
  const rows = contenders.map((contender, index) => {
    const cells = searchCells(contender, rungs).map(escapeXml);
    const dot = `<span class="dot c${index % pageColors}"></span>`;
    const why = contender.failure === '' ? '' : `<br><small>${escapeXml(contender.failure)}</small>`;
    const body = cells.map((cell, column) =>
      column === 0
        ? `<td>${dot}${cell}</td>`
        : column === 1
          ? `<td class="why">${cell}${why}</td>`
          : `<td>${cell}</td>`,
    );
    return `<tr${index === 0 && contender.failure === '' ? ' class="chosen"' : ''}>${body.join('')}</tr>`;
  });
  const head = searchColumns
    .map((name, column) => `<th${column === 1 ? ' class="text"' : ''}>${name}</th>`)
    .join('');
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

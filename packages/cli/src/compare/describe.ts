import { bytes, number, percent } from '../progress/progressText.ts';
import { textTable } from '../report/textTable.ts';
import type { Failure, MethodResult } from './compareTrials.ts';
import type { Spread } from './statistics.ts';

/** A time with three digits, in the unit that fits. */
export function ms(value: number): string {
  if (value < 1) return `${(value * 1000).toPrecision(3)} µs`;
  if (value < 1000) return `${value.toPrecision(3)} ms`;
  if (value < 120_000) return `${(value / 1000).toPrecision(3)} s`;
  return `${(value / 60_000).toPrecision(3)} min`;
}

export const comparedColumns = [
  'method',
  'loss',
  'accuracy',
  'training',
  'to target',
  'inference',
  'p99',
  'passes',
  'steps',
  'pushed',
  'memory',
] as const;

/** One line of the table, in the order of the columns. */
export function comparedCells(result: MethodResult): string[] {
  const { accuracy, targetMs, reached, trials } = result;
  return [
    result.method,
    spread(result.loss, number),
    accuracy === null ? '-' : spread(accuracy, percent),
    ms(result.trainMs.mean),
    targetMs === null ? '-' : `${ms(targetMs.mean)}${reached < trials ? ` (${reached} of ${trials})` : ''}`,
    ms(result.inferenceMedianMs),
    ms(result.inferenceP99Ms),
    result.passes.toFixed(1),
    Math.round(result.steps).toLocaleString('en-US'),
    bytes(result.pushedBytes),
    bytes(result.memoryBytes),
  ];
}

function spread({ mean, deviation }: Spread, show: (value: number) => string): string {
  return deviation === 0 ? show(mean) : `${show(mean)} ± ${show(deviation)}`;
}

/** The table for a terminal, and below it what could not be run. */
export function comparedTable(results: readonly MethodResult[], failures: readonly Failure[]): string {
  const lines = results.length === 0 ? [] : textTable(comparedColumns, results.map(comparedCells), 1);
  return [...lines, ...failures.map(({ method, reason }) => `${method}: ${reason}`)]
    .map((line) => `  ${line}`)
    .join('\n');
}

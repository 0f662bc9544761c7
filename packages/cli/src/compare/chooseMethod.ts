import { bytes, number, percent } from '../progress/progressText.ts';
import type { Failure, MethodResult } from './compareTrials.ts';
import { ms } from './describe.ts';

export interface Setting {
  readonly parameters: number;
  readonly trainSize: number;
  readonly processors: number;
  /** For people, such as `10 passes over the data`. */
  readonly budget: string;
  readonly target: number;
  readonly seeds: number;
  readonly evaluatedOn: 'test' | 'train';
  /** Methods whose learning rate nobody chose for this job. */
  readonly untuned: readonly string[];
}

export interface Choice {
  readonly method: string;
  /** Why, and what to know about it: a sentence each. */
  readonly reasons: readonly string[];
}

/**
 * Which method to take. Those count as equal to the best that end within the spread of the two, or a thousandth; of them the one that first reached the target. Undefined if no
 * method came to a finite loss. `results` are in order of loss.
 */
export function chooseMethod(
  results: readonly MethodResult[],
  failures: readonly Failure[],
  setting: Setting,
): Choice | undefined {
  const [best] = results;
  if (best === undefined || !Number.isFinite(best.loss.mean)) return undefined;
  const equals = results.filter((result) => isAsGood(result, best));
  const chosen = equals.reduce((a, b) =>
    (b.targetMs?.mean ?? Number.POSITIVE_INFINITY) < (a.targetMs?.mean ?? Number.POSITIVE_INFINITY) ? b : a,
  );
  return {
    method: chosen.method,
    reasons: [
      qualityReason(chosen, equals, results, setting),
      ...speedReason(chosen, results, setting),
      costReason(chosen, setting),
      ...wireReason(chosen, results),
      ...failures.map(({ method, reason }) => `${method} is out: ${reason}`),
      ...caveats(chosen, equals, setting),
    ],
  };
}

/** Losses that differ by less than this part of them are the same, also where all seeds agree. */
const sameLoss = 1e-3;

function isAsGood(result: MethodResult, best: MethodResult): boolean {
  const spread = Math.max(result.loss.deviation, best.loss.deviation, sameLoss * Math.abs(best.loss.mean));
  return result.loss.mean - best.loss.mean <= spread;
}

function qualityReason(
  chosen: MethodResult,
  equals: readonly MethodResult[],
  results: readonly MethodResult[],
  { budget, evaluatedOn }: Setting,
): string {
  const right = chosen.accuracy === null ? '' : ` (${percent(chosen.accuracy.mean)} right)`;
  const ends = `With ${budget}, ${chosen.method} ends at a ${evaluatedOn} loss of ${number(chosen.loss.mean)}${right}`;
  const others = equals.filter((result) => result !== chosen).map(({ method }) => method);
  if (others.length > 0)
    return `${ends}; ${others.join(', ')} cannot be told from it: they end within the spread of the seeds, or a thousandth.`;
  const next = results[1];
  return next === undefined
    ? `${ends}.`
    : `${ends}, the least; the next, ${next.method}, at ${number(next.loss.mean)}.`;
}

function speedReason(chosen: MethodResult, results: readonly MethodResult[], { target }: Setting): string[] {
  if (chosen.targetMs === null || results.length < 2) return [];
  const fastest = results.reduce((a, b) =>
    (b.targetMs?.mean ?? Number.POSITIVE_INFINITY) < (a.targetMs?.mean ?? Number.POSITIVE_INFINITY) ? b : a,
  );
  const took = `The loss of ${number(target)} was reached after ${ms(chosen.targetMs.mean)}`;
  if (fastest === chosen) return [`${took}, sooner than by any other.`];
  return [
    `${took}; ${fastest.method} was there first, after ${ms(fastest.targetMs!.mean)}, if that is all you need.`,
  ];
}

/** What the model, the data and the machine have to do with it. */
function costReason(chosen: MethodResult, { parameters, trainSize, processors }: Setting): string {
  const perPass = chosen.trainMs.mean / chosen.passes;
  const stepsPerPass = chosen.steps / chosen.passes;
  const pace =
    stepsPerPass > 1 ? `${stepsPerPass.toFixed(0)} steps` : `${stepsPerPass.toPrecision(2)} of a step`;
  return `The model has ${parameters.toLocaleString('en-US')} parameters and the data ${trainSize.toLocaleString('en-US')} examples: a pass, that is ${pace}, takes ${ms(perPass)} on the ${processors} processors here.`;
}

function wireReason(chosen: MethodResult, results: readonly MethodResult[]): string[] {
  const reached = results.filter(({ targetBytes }) => targetBytes !== null);
  if (reached.length < 2) return [];
  const least = reached.reduce((a, b) => (b.targetBytes! < a.targetBytes! ? b : a));
  if (least === chosen || chosen.targetBytes === null || least.targetBytes! > chosen.targetBytes / 2)
    return [];
  return [
    `Over a slow network take ${least.method}: it pushed ${bytes(least.targetBytes!)} to that loss, ${chosen.method} ${bytes(chosen.targetBytes)}.`,
  ];
}

function caveats(
  chosen: MethodResult,
  equals: readonly MethodResult[],
  { seeds, untuned }: Setting,
): string[] {
  const others = untuned.filter((method) => method !== chosen.method);
  return [
    ...(seeds < 3
      ? [
          `With ${seeds === 1 ? 'one seed' : 'two seeds'} the spread is hardly known: more --seeds tell luck from merit.`,
        ]
      : []),
    ...(others.length > 0
      ? [
          `Learning rates of ${others.join(', ')} are defaults: --tune searches them, and may change the order.`,
        ]
      : []),
    ...(chosen.loss.deviation === 0 && seeds > 1 && equals.length === 1
      ? ['All seeds came to the same loss.']
      : []),
  ];
}

import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';

type Usage = Extract<MetricEntry, { kind: 'usage' }>;

/** How good a training was at some moment, and what it had used by then. */
export interface CurvePoint {
  readonly step: number;
  /** Of training, evaluations left out. */
  readonly timeMs: number;
  readonly passes: number;
  readonly pushedBytes: number;
  readonly loss: number;
}

export interface CurveOptions {
  readonly metrics: readonly MetricEntry[];
  /** When the ranks were placed, ms since 1970. */
  readonly startedAtMs: number;
  readonly trainSize: number;
  /** Loss before the first step and after the last, as evaluated. */
  readonly firstLoss: number;
  readonly lastLoss: number;
  readonly steps: number;
}

/** Without evaluations on the way: the training losses, as means over as many stretches of steps. */
const stretches = 40;

/** From the first step to the last: evaluations, or where the job has no test data, training losses. */
export function trialCurve(options: CurveOptions): CurvePoint[] {
  const { metrics, startedAtMs, trainSize, firstLoss, lastLoss, steps } = options;
  const evaluations = metrics.filter((entry) => entry.kind === 'evaluation');
  const training = metrics.filter((entry) => entry.kind === 'step');
  const passes = usedBySteps(metrics, 'examples');
  const pushedBytes = usedBySteps(metrics, 'pushedBytes');
  const evaluatedMs = (before: number) =>
    evaluations.reduce((sum, entry) => (entry.timeMs <= before ? sum + entry.tookMs : sum), 0);
  const point = (step: number, loss: number, timeMs: number): CurvePoint => ({
    ...{ step, loss },
    timeMs: Math.max(0, timeMs - startedAtMs - evaluatedMs(timeMs)),
    passes: passes(step) / trainSize,
    pushedBytes: pushedBytes(step),
  });
  const onTheWay =
    evaluations.length > 0
      ? evaluations.map(({ step, loss, timeMs }) => point(step, loss, timeMs))
      : meansOf(training).map(({ step, loss, timeMs }) => point(step, loss, timeMs));
  const endedAtMs = training.at(-1)?.timeMs ?? startedAtMs;
  return [
    { step: 0, timeMs: 0, passes: 0, pushedBytes: 0, loss: firstLoss },
    ...onTheWay.filter(({ step }) => step > 0 && step < steps),
    point(steps, lastLoss, endedAtMs),
  ];
}

type Step = Extract<MetricEntry, { kind: 'step' }>;

function meansOf(training: readonly Step[]): Step[] {
  const length = Math.max(1, Math.ceil(training.length / stretches));
  return Array.from({ length: Math.ceil(training.length / length) }, (_, index) => {
    const stretch = training.slice(index * length, (index + 1) * length);
    const loss = stretch.reduce((sum, entry) => sum + entry.loss, 0) / stretch.length;
    return { ...stretch[Math.floor(stretch.length / 2)], loss };
  });
}

/** What all processes had used by the end of a number of steps. Each told it now and then; in between it grew in a straight line. */
function usedBySteps(metrics: readonly MetricEntry[], what: 'examples' | 'pushedBytes') {
  const members = new Map<string, Usage[]>();
  for (const entry of metrics) {
    if (entry.kind === 'usage') members.set(entry.member, [...(members.get(entry.member) ?? []), entry]);
  }
  return (step: number) =>
    [...members.values()].reduce((sum, told) => {
      const after = told.findIndex((usage) => usage.step >= step);
      if (after < 0) return sum + (told.at(-1)?.[what] ?? 0);
      const to = told[after];
      const from = told[after - 1] ?? { step: 0, [what]: 0 };
      const part = to.step === from.step ? 1 : (step - from.step) / (to.step - from.step);
      return sum + from[what] + part * (to[what] - from[what]);
    }, 0);
}

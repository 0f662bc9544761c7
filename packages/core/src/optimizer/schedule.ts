import { TributaryError } from '../errors/TributaryError.ts';
import type { ScheduleSpec } from '../job/JobSpec.ts';
import {
  type OptionTable,
  positive,
  type Resolved,
  resolveOptions,
  rowNamed,
  upToOne,
  wholeNumber,
} from './options.ts';

/** A schedule gives the factor by which the base learning rate is multiplied, `step` steps after the warm-up. */
interface Schedule<Table extends OptionTable = OptionTable> {
  readonly options: Table;
  /** Throws INVALID_ARGUMENT for options that do not go together. */
  check?(options: WithWarmup<Table>): void;
  factor(options: WithWarmup<Table>, step: number): number;
}

type WithWarmup<Table extends OptionTable> = Resolved<Table> & { readonly warmupSteps: number };

function schedule<const Table extends OptionTable>(row: Schedule<Table>): Schedule<Table> {
  return row;
}

/** Every schedule by name. Each also takes `warmupSteps`. */
export const schedules: Readonly<Record<string, Schedule>> = {
  constant: schedule({ options: {}, factor: () => 1 }),

  /** Times `factor` after each `everySteps` steps. */
  step: schedule({
    options: { everySteps: wholeNumber(1), factor: upToOne(0.1) },
    factor: ({ everySteps, factor }, step) => factor ** Math.floor(step / everySteps),
  }),

  /** Times `factor` over each `everySteps` steps, smoothly. */
  exponential: schedule({
    options: { everySteps: wholeNumber(1, 1), factor: upToOne(0.999) },
    factor: ({ everySteps, factor }, step) => factor ** (step / everySteps),
  }),

  /**
   * Half a period of a cosine from 1 down to `finalFactor` at step `steps` (warm-up included), and that from there on.
   * Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017, without the restarts.
   */
  cosine: schedule({
    options: { steps: wholeNumber(1), finalFactor: upToOne(0) },
    check({ steps, warmupSteps }) {
      if (warmupSteps < steps) return;
      throw new TributaryError(
        'INVALID_ARGUMENT',
        'schedule "cosine": the warm-up is as long as the schedule',
        {
          hint: `warmupSteps (${warmupSteps}) must be less than steps (${steps}), which include the warm-up.`,
        },
      );
    },
    factor: ({ steps, finalFactor, warmupSteps }, step) => {
      const progress = Math.min(1, step / (steps - warmupSteps));
      return finalFactor + ((1 - finalFactor) * (1 + Math.cos(Math.PI * progress))) / 2;
    },
  }),

  /**
   * Grows exponentially, from the rate divided by `ratio` to the rate at step `steps`: for finding how large it may be. Smith, "Cyclical Learning Rates for Training Neural
   * Networks", 2017.
   */
  ramp: schedule({
    options: { steps: wholeNumber(1), ratio: positive(1) },
    factor: ({ steps, ratio }, step) => ratio ** (Math.min(1, step / steps) - 1),
  }),
};

const warmup = { warmupSteps: wholeNumber(0, 0) };

/** Throws INVALID_ARGUMENT for an unknown schedule or option, or one out of range; the hint lists what is possible. */
export function checkSchedule(spec: ScheduleSpec): void {
  resolve(spec);
}

/**
 * The learning rate of step `step` (from 0). During the warm-up it grows in a straight line: base / warmupSteps at step 0, base at the last step of
 * the warm-up; then the schedule begins. Goyal et al., "Accurate, Large Minibatch SGD", 2017. Errors as checkSchedule.
 */
export function learningRateAt(spec: ScheduleSpec, base: number, step: number): number {
  const { row, options } = resolve(spec);
  const { warmupSteps } = options;
  if (step < warmupSteps) return (base * (step + 1)) / warmupSteps;
  return base * row.factor(options, step - warmupSteps);
}

function resolve(spec: ScheduleSpec) {
  const row = rowNamed('schedule', schedules, spec.name);
  const options = resolveOptions(`schedule "${spec.name}"`, { ...row.options, ...warmup }, spec.options);
  row.check?.(options);
  return { row, options };
}

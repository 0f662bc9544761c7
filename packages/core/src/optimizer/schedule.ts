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
import { plateauOptions } from './plateau.ts';

/** The options of a plateau schedule; undefined if it is another. */
export function plateauOf(spec: ScheduleSpec): Resolved<typeof plateauOptions> | undefined {
  if (spec.name !== 'plateau') return undefined;
  return optionsOf(spec, plateauOptions, schedules.plateau.source);
}

/** A schedule gives the factor by which the base learning rate is multiplied, `step` steps after the warm-up. */
interface Schedule<Table extends OptionTable = OptionTable> {
  /** Who described it, as a message about an option cites them. */
  readonly source: string;
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
  constant: schedule({ source: 'Goyal et al., 2017, for the warm-up', options: {}, factor: () => 1 }),

  /** Times `factor` after each `everySteps` steps. */
  step: schedule({
    source: 'He, Zhang, Ren & Sun, 2016',
    options: { everySteps: wholeNumber(1), factor: upToOne(0.1) },
    factor: ({ everySteps, factor }, step) => factor ** Math.floor(step / everySteps),
  }),

  /** Times `factor` over each `everySteps` steps, smoothly. */
  exponential: schedule({
    source: 'Senior, Heigold, Ranzato & Yang, 2013',
    options: { everySteps: wholeNumber(1, 1), factor: upToOne(0.999) },
    factor: ({ everySteps, factor }, step) => factor ** (step / everySteps),
  }),

  /**
   * Half a period of a cosine from 1 down to `finalFactor` at step `steps` (warm-up included), and that from there on.
   * Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017, without the restarts.
   */
  cosine: schedule({
    source: 'Loshchilov & Hutter, 2017',
    options: { steps: wholeNumber(1), finalFactor: upToOne(0) },
    check: requireRoom('cosine'),
    factor: ({ steps, finalFactor, warmupSteps }, step) => {
      const progress = Math.min(1, step / (steps - warmupSteps));
      return halfCosine(1, finalFactor, progress);
    },
  }),

  /**
   * Grows exponentially, from the rate divided by `ratio` to the rate at step `steps`: for finding how large it may be. Smith, "Cyclical Learning Rates for Training Neural
   * Networks", 2017.
   */
  ramp: schedule({
    source: 'Smith, 2017',
    options: { steps: wholeNumber(1), ratio: positive(1) },
    factor: ({ steps, ratio }, step) => ratio ** (Math.min(1, step / steps) - 1),
  }),

  /** (1 - progress)^power from 1 down to `finalFactor` at step `steps` (warm-up included), and that from there on. */
  polynomial: schedule({
    source: 'Chen, Papandreou, Kokkinos, Murphy & Yuille, 2018',
    options: { steps: wholeNumber(1), power: positive(1), finalFactor: upToOne(0) },
    check: requireRoom('polynomial'),
    factor: ({ steps, power, finalFactor, warmupSteps }, step) => {
      const progress = Math.min(1, step / (steps - warmupSteps));
      return finalFactor + (1 - finalFactor) * (1 - progress) ** power;
    },
  }),

  /**
   * Up from `initialFactor` to 1 in the first `riseFraction` of `steps`, then down to `finalFactor`, each half a period of a cosine.
   * Smith & Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates", 2019; the shape as in PyTorch.
   */
  'one-cycle': schedule({
    source: 'Smith & Topin, 2019',
    options: {
      steps: wholeNumber(1),
      riseFraction: upToOne(0.3),
      initialFactor: upToOne(0.04),
      finalFactor: upToOne(4e-6),
    },
    check: requireRoom('one-cycle'),
    factor: ({ steps, riseFraction, initialFactor, finalFactor, warmupSteps }, step) => {
      const length = steps - warmupSteps;
      const rise = riseFraction * length;
      if (step < rise) return halfCosine(initialFactor, 1, step / rise);
      return halfCosine(1, finalFactor, rise < length ? Math.min(1, (step - rise) / (length - rise)) : 1);
    },
  }),

  /**
   * Cosines from 1 to `finalFactor`, one after the other: the first is `periodSteps` long, every other `growth` times the one before.
   * Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.
   */
  restarts: schedule({
    source: 'Loshchilov & Hutter, 2017',
    options: { periodSteps: wholeNumber(1), growth: wholeNumber(1, 2), finalFactor: upToOne(0) },
    factor: ({ periodSteps, growth, finalFactor }, step) => {
      let length = periodSteps;
      let begun = growth === 1 ? step - (step % periodSteps) : 0;
      while (step - begun >= length) {
        begun += length;
        length *= growth;
      }
      return halfCosine(1, finalFactor, (step - begun) / length);
    },
  }),

  /** Lowered each time the training loss stops falling: see plateau.ts. The factor is a matter of the losses, not of the step. */
  plateau: schedule({ source: 'ReduceLROnPlateau of PyTorch', options: plateauOptions, factor: () => 1 }),
};

/** From one value to another along half a period of a cosine. */
function halfCosine(from: number, to: number, progress: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * progress))) / 2;
}

/** Of a schedule whose `steps` include the warm-up: some must be left for itself. */
function requireRoom(name: string) {
  return ({ steps, warmupSteps }: { readonly steps: number; readonly warmupSteps: number }): void => {
    if (warmupSteps < steps) return;
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `schedule "${name}": the warm-up is as long as the schedule`,
      {
        hint: `warmupSteps (${warmupSteps}) must be less than steps (${steps}), which include the warm-up.`,
      },
    );
  };
}

const warmup = { warmupSteps: wholeNumber(0, 0) };

/** Throws INVALID_ARGUMENT for an unknown schedule or option, or one out of range; the hint lists what is possible, and the source. */
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
  const options = optionsOf(spec, row.options, row.source);
  row.check?.(options);
  return { row, options };
}

function optionsOf<Table extends OptionTable>(
  { name, options }: ScheduleSpec,
  table: Table,
  source: string,
): WithWarmup<Table> {
  const all = { ...table, ...warmup };
  return resolveOptions(`schedule "${name}"`, all, options, source) as WithWarmup<Table>;
}

import { checkDefinition } from './checkDefinition.ts';
import type { Job, JobDefinition } from './Job.ts';
import { type JobOptions, type OptionValues, resolveJobOptions, type ValuesOf } from './JobOptions.ts';
import type { ParameterTree } from './Model.ts';

/** Mark what defineJob made. From the registry of symbols, so that a second copy of the package makes the same marks. */
const jobMark = Symbol.for('tributary.job');
const familyMark = Symbol.for('tributary.jobFamily');

/** Jobs that differ in some options. */
export interface JobFamily {
  readonly options: JobOptions;
  /** The job for these values, the others at their defaults. Throws INVALID_ARGUMENT for an option that it does not have, or a value that cannot be. */
  create(given: OptionValues): Job & { readonly options: OptionValues };
}

/**
 * A job: a model, its data, a method, and how long to train. A job file exports one as its default:
 *
 * ```ts
 * export default defineJob({
 *   model: {
 *     init: (key) => ({ w: np.zeros([2]), b: np.zeros([]) }),
 *     loss: ({ w, b }, { x, y }) => np.mean(np.square(np.dot(x, w).add(b).sub(y))),
 *   },
 *   data: { train: csv('houses.csv', { fields: { x: ['area', 'rooms'], y: 'price' } }) },
 *   optimizer: adam({ learningRate: 1e-3 }),
 *   batchSize: 32,
 *   epochs: 10,
 * });
 * ```
 *
 * What it leaves open stands before, each option with its default or its choices, and can be said on the command line, here as
 * `tributary train job.ts --model deep --learning-rate 0.01`:
 *
 * ```ts
 * export default defineJob({ model: ['plain', 'deep'], learningRate: 1e-3 }, ({ model, learningRate }) => ({ ... }));
 * ```
 *
 * Throws INVALID_ARGUMENT, naming every field that is wrong, what was found there and what is possible.
 */
export function defineJob<
  const Options extends JobOptions,
  Parameters extends ParameterTree,
  Name extends string,
>(options: Options, define: (values: ValuesOf<Options>) => JobDefinition<Parameters, Name>): JobFamily;
export function defineJob<Parameters extends ParameterTree, Name extends string>(
  definition: JobDefinition<Parameters, Name>,
): Job;
export function defineJob(
  first: JobDefinition | JobOptions,
  define?: (values: never) => unknown,
): Job | JobFamily {
  if (define === undefined) return marked(checkDefinition(first as JobDefinition), jobMark);
  const options = first as JobOptions;
  const family: JobFamily = {
    options,
    create(given) {
      const values = resolveJobOptions(options, given);
      const job = checkDefinition(define(values as never) as JobDefinition);
      return marked({ ...job, options: values }, jobMark);
    },
  };
  return marked(family, familyMark);
}

/** True of what defineJob returned for one job. */
export function isJob(value: unknown): value is Job {
  return isMarked(value, jobMark);
}

/** True of what defineJob returned for a job with options. */
export function isJobFamily(value: unknown): value is JobFamily {
  return isMarked(value, familyMark);
}

function marked<T extends object>(value: T, mark: symbol): T {
  return Object.freeze(Object.defineProperty(value, mark, { value: true }));
}

function isMarked(value: unknown, mark: symbol): boolean {
  return typeof value === 'object' && value !== null && mark in value;
}

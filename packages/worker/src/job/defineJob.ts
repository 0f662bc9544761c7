import { checkDefinition } from './checkDefinition.ts';
import type { Job, JobDefinition } from './Job.ts';
import type { ParameterTree } from './Model.ts';

/** Marks what defineJob made. From the registry of symbols, so that a second copy of the package makes the same mark. */
const mark = Symbol.for('tributary.job');

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
 * Throws INVALID_ARGUMENT, naming every field that is wrong, what was found there and what is possible.
 */
export function defineJob<Parameters extends ParameterTree, Name extends string>(
  definition: JobDefinition<Parameters, Name>,
): Job {
  const job = checkDefinition(definition as unknown as JobDefinition);
  return Object.freeze(Object.defineProperty(job, mark, { value: true }));
}

/** True of what defineJob returned. */
export function isJob(value: unknown): value is Job {
  return typeof value === 'object' && value !== null && mark in value;
}

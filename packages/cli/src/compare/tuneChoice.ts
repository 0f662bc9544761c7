import { rungsOf } from '../tune/halve.ts';
import { defaultLearningRate } from '../tune/hyperparameterNames.ts';
import { type SearchOptions, searchJob } from '../tune/searchJob.ts';
import type { MethodChoice } from './parseMethods.ts';

/** How far the search goes from a method's default, as a factor each way. */
const reach = 100;
const rates = 9;
/** A third goes on to three times the passes. */
const eta = 3;

/** The method with the learning rate that a short search finds best; as it is if none comes to a loss. Its trials lie in the folder of the whole. */
export async function tuneChoice(
  choice: MethodChoice,
  passes: number,
  options: Omit<SearchOptions, 'points' | 'rungs'>,
): Promise<MethodChoice> {
  const { optimizer, batchSize } = choice;
  const middle = defaultLearningRate(optimizer.name);
  if (middle === undefined) return choice;
  const points = Array.from({ length: rates }, (_, index) => ({
    ...optimizer.hyperparameters,
    method: optimizer.name,
    learningRate: Number((middle * reach ** ((2 * index) / (rates - 1) - 1)).toPrecision(3)),
    ...(batchSize !== undefined && { batchSize }),
  }));
  // An option of the job that has the name of a hyperparameter is not meant here.
  const { options: _, ...job } = options.base.job;
  const [best] = await searchJob({
    ...options,
    base: { ...options.base, job },
    ...{ points, rungs: rungsOf(rates, passes, passes / eta ** 2, eta) },
  });
  if (best === undefined || !Number.isFinite(best.loss)) return choice;
  const learningRate = best.point.learningRate as number;
  return {
    ...choice,
    optimizer: { ...optimizer, hyperparameters: { ...optimizer.hyperparameters, learningRate } },
  };
}

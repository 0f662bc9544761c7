import type { JobSpec } from './JobSpec.ts';

/** Do servers need the squared norms of the gradients of single ranks? To measure noise; in the asynchronous modes to clip by the norm. */
export function needsSquares(spec: JobSpec): boolean {
  return measuresNoise(spec) || (spec.staleness !== 0 && spec.clipping.norm !== undefined);
}

/** Is the noise of the gradient measured at every update? It takes the gradients of several ranks at the same step. */
export function measuresNoise({ measureNoise, adaptiveBatch, staleness, ranks, method }: JobSpec): boolean {
  const asked = measureNoise === true || adaptiveBatch !== undefined;
  return asked && staleness === 0 && ranks > 1 && method === undefined;
}

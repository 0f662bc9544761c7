import type { JobSpec } from '../job/JobSpec.ts';
import { partition, partitionTensors, type Range } from '../partition/partition.ts';
import { createOptimizer } from './createOptimizer.ts';

/** How the parameters of a job are cut for this many servers: evenly, or between tensors if its optimizer works on whole ones. */
export function shardRanges(
  { optimizer, layout }: Pick<JobSpec, 'optimizer' | 'layout'>,
  servers: number,
): Range[] {
  return createOptimizer(optimizer).wholeTensors
    ? partitionTensors(layout, servers)
    : partition(layout.length, servers);
}

import { invariant } from '@tributary/core/errors/invariant.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { JobSpec, LastBatch } from '@tributary/core/job/JobSpec.ts';
import { createPermutation } from '@tributary/core/random/permutation.ts';

/**
 * Which examples a rank sees at a step: a pure function of (seed, rank, step), so that a rank that moves to another worker goes on in the
 * same place and nothing about the position in the data is ever saved.
 *
 * `shuffled`: each epoch is a permutation of all examples, drawn from (seed, epoch). Step t of an epoch takes the next
 * ranks x batchSize of them, rank r the r-th run of batchSize. What is left at the end of an epoch and too short for a step is left out
 * of that epoch if the job drops its last batch; as every epoch has another order, no example is left out for good. If not, it makes one more step, in which each
 * rank has a share, sizes differing by one at most; some have none if there are fewer examples than ranks.
 *
 * `full`: at every step rank r has the r-th contiguous slice of the data in their own order; sizes differ by one at most, and as
 * gradients are weighted by examples, the step is exactly that of the whole data.
 */
export interface Sampler {
  /** Examples in the minibatch of one rank; with `full`, the most that a rank has. */
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  examples(rank: number, step: number): Uint32Array;
}

export type Sampling = Pick<JobSpec, 'sampling' | 'seed' | 'ranks'> & {
  /** Default: dropped. */
  readonly lastBatch?: LastBatch;
  /** Not used by `full`. */
  readonly batchSize?: number | undefined;
  /** Examples of the data set. */
  readonly size: number;
};

/** Throws INVALID_ARGUMENT if the data has too few examples for one step. */
export function createSampler(sampling: Sampling): Sampler {
  return sampling.sampling === 'full' ? fullSampler(sampling) : shuffledSampler(sampling);
}

function fullSampler({ ranks, size }: Sampling): Sampler {
  if (size < ranks) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `${size} training examples cannot be shared out over ${ranks} ranks`,
      {
        hint: size === 0 ? 'The data set is empty.' : `At most ${size} ranks are possible with this data.`,
      },
    );
  }
  return {
    batchSize: Math.ceil(size / ranks),
    stepsPerEpoch: 1,
    examples(rank) {
      const { begin, end } = shareOf(rank, ranks, size);
      return Uint32Array.from({ length: end - begin }, (_, index) => begin + index);
    },
  };
}

/** The part of `count` examples that a rank has where they are shared out evenly. */
function shareOf(rank: number, ranks: number, count: number): { begin: number; end: number } {
  return { begin: Math.floor((rank * count) / ranks), end: Math.floor(((rank + 1) * count) / ranks) };
}

function shuffledSampler({ seed, ranks, batchSize, size, lastBatch = 'dropped' }: Sampling): Sampler {
  invariant(batchSize !== undefined, 'shuffled minibatches have a size');
  const stepExamples = ranks * batchSize;
  if (lastBatch === 'dropped' && size < stepExamples) {
    const largest = Math.floor(size / ranks);
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `${size} training examples are too few for ${ranks} ranks with batchSize ${batchSize}: a step takes ${stepExamples}`,
      {
        hint:
          largest === 0
            ? `At most ${size} ranks are possible with this data.`
            : `The largest batchSize possible with ${ranks} ranks is ${largest}; or set lastBatch to 'short'.`,
      },
    );
  }
  if (size === 0) throw new TributaryError('INVALID_ARGUMENT', 'the data set of training examples is empty');
  const wholeSteps = Math.floor(size / stepExamples);
  const stepsPerEpoch = lastBatch === 'dropped' ? wholeSteps : Math.ceil(size / stepExamples);
  return {
    batchSize,
    stepsPerEpoch,
    examples(rank, step) {
      const order = createPermutation(size, seed, Math.floor(step / stepsPerEpoch));
      const stepBegin = (step % stepsPerEpoch) * stepExamples;
      const { begin, end } = shareOf(rank, ranks, Math.min(stepExamples, size - stepBegin));
      return Uint32Array.from({ length: end - begin }, (_, index) => order(stepBegin + begin + index));
    },
  };
}

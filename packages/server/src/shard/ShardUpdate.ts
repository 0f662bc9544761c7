import { stalenessBound } from '@tributary/core/consistency/clocks.ts';
import type { JobSpec, OptimizerSpec } from '@tributary/core/job/JobSpec.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import { liveRanges, type Segment, segmentsOf } from '@tributary/core/layout/segments.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import type { Optimizer } from '@tributary/core/optimizer/Optimizer.ts';
import { learningRateAt } from '@tributary/core/optimizer/schedule.ts';
import type { Range } from '@tributary/core/partition/partition.ts';

/** A segment, counted from the begin of the shard, with the optimizer that its options make. */
interface Part extends Segment {
  readonly optimizer: Optimizer;
}

/** How an update turns a gradient into the next parameters: the job's optimizer, on every tensor by its own options. */
export class ShardUpdate {
  readonly #spec: JobSpec;
  readonly #kernels: VectorKernels;
  readonly #parts: readonly Part[];
  /** Pushes that make one step of all ranks. */
  readonly #updatesPerStep: number;

  constructor(spec: JobSpec, range: Range, kernels: VectorKernels) {
    this.#spec = spec;
    this.#kernels = kernels;
    this.#updatesPerStep = stalenessBound(spec.staleness) === 0 ? 1 : spec.ranks;
    this.#parts = segmentsOf(spec, range).map((segment) => ({
      ...segment,
      begin: segment.begin - range.begin,
      end: segment.end - range.begin,
      optimizer: createOptimizer(withOptions(spec.optimizer, segment)),
    }));
  }

  /** What `step` changes, counted from the begin of the shard. */
  live(step: number): Range[] {
    return liveRanges(this.#parts, step);
  }

  /** Writes to `out` what becomes of `current`: the update number `updates` of the shard, from 1, by the gradient of `step`. */
  apply(
    out: Float32Array,
    current: Float32Array,
    gradient: Float32Array,
    slots: readonly Float32Array[],
    { step, updates }: { step: number; updates: number },
  ): void {
    for (const { begin, end, frozenUntil, optimizer } of this.#parts) {
      const part = (vector: Float32Array) => vector.subarray(begin, end);
      if (step < frozenUntil) {
        part(out).set(part(current));
        continue;
      }
      // What was frozen begins its moments anew, so its bias corrections too.
      const count = Math.max(1, updates - frozenUntil * this.#updatesPerStep);
      const base = Number(optimizer.hyperparameters.learningRate);
      const learningRate = learningRateAt(this.#spec.schedule, base, step);
      const now = { count, learningRate };
      this.#kernels.update(optimizer, part(out), part(current), part(gradient), slots.map(part), now);
    }
  }
}

/** The optimizer with the hyperparameters of a segment. */
function withOptions({ name, hyperparameters }: OptimizerSpec, segment: Segment): OptimizerSpec {
  const { learningRateScale, weightDecay } = segment;
  if (learningRateScale === 1 && weightDecay) return { name, hyperparameters };
  const base = Number(createOptimizer({ name, hyperparameters }).hyperparameters.learningRate);
  return {
    name,
    hyperparameters: {
      ...hyperparameters,
      ...(learningRateScale !== 1 && { learningRate: base * learningRateScale }),
      ...(!weightDecay && { weightDecay: 0 }),
    },
  };
}

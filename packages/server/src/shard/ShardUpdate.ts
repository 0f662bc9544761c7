import { stalenessBound } from '@tributary/core/consistency/clocks.ts';
import type { JobSpec, OptimizerSpec } from '@tributary/core/job/JobSpec.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import { liveRanges, type Segment, segmentsOf } from '@tributary/core/layout/segments.ts';
import { accumulatedSlot, averageSlot, rangeInSlot } from '@tributary/core/layout/slotLayout.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import type { Optimizer } from '@tributary/core/optimizer/Optimizer.ts';
import { afterStep, type PlateauState, plateauBegin } from '@tributary/core/optimizer/plateau.ts';
import { learningRateAt, plateauOf } from '@tributary/core/optimizer/schedule.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import { blockSums } from '@tributary/core/reduction/blockSquares.ts';
import { GradientBatch } from './GradientBatch.ts';

/** What is updated in one go, with the optimizer that its options make; all ranges counted from the begin of the shard's vectors. */
interface Part extends Segment {
  readonly optimizer: Optimizer;
  /** In the optimizer's order. */
  readonly slots: readonly Range[];
  /** Of the tensor, where the optimizer works on whole ones. */
  readonly shape: readonly number[];
}

/** How an update turns a gradient into the next parameters: the job's optimizer, on every tensor by its own options. */
export class ShardUpdate {
  readonly batch: GradientBatch;
  readonly #spec: JobSpec;
  readonly #kernels: VectorKernels;
  readonly #parts: readonly Part[];
  readonly #optimizer: Optimizer;
  readonly #plateau: ReturnType<typeof plateauOf>;
  #losses: PlateauState;
  /** See SharedNumbers; empty if the optimizer has none. */
  #shared: readonly number[];
  /** Pushes that make one step of all ranks. */
  readonly #updatesPerStep: number;

  /** `numbers` as this class gave them; none at the start of a job. */
  constructor(spec: JobSpec, range: Range, kernels: VectorKernels, numbers: readonly number[] = []) {
    this.#spec = spec;
    this.#kernels = kernels;
    this.#updatesPerStep = stalenessBound(spec.staleness) === 0 ? 1 : spec.ranks;
    this.#parts = partsOf(spec, range);
    this.#optimizer = createOptimizer(spec.optimizer);
    this.#plateau = plateauOf(spec.schedule);
    const shared = this.#optimizer.rule.shared?.begin ?? [];
    const fresh = [...shared, ...plateauBegin, ...GradientBatch.begin(spec)];
    // A job that is resumed with another optimizer begins anew.
    const begun = numbers.length === fresh.length ? numbers : fresh;
    this.#shared = begun.slice(0, shared.length);
    const afterLosses = shared.length + plateauBegin.length;
    this.#losses = this.#plateau === undefined ? plateauBegin : begun.slice(shared.length, afterLosses);
    this.batch = new GradientBatch(spec, kernels, begun.slice(afterLosses));
  }

  /** What `step` changes, counted from the begin of the shard. */
  live(step: number): Range[] {
    return liveRanges(this.#parts, step);
  }

  /** `apply` must then write to another vector than the gradient. */
  get wholeTensors(): boolean {
    return this.#optimizer.wholeTensors;
  }

  average(slots: readonly Float32Array[]): Float32Array | undefined {
    return slots[this.#optimizer.slots.indexOf(averageSlot)];
  }

  /** The sum of the gradients of a batch that is not whole yet, where the job adapts it. */
  accumulated(slots: readonly Float32Array[]): Float32Array | undefined {
    return slots[this.#optimizer.slots.indexOf(accumulatedSlot)];
  }

  /** What has to be remembered beside the slots; the same on all shards of a synchronous job. */
  get numbers(): number[] {
    return [...this.#shared, ...this.#losses, ...this.batch.numbers];
  }

  /** How many sums there are. */
  get sumCount(): number {
    return this.#optimizer.rule.shared?.sums.length ?? 0;
  }

  /** Sums over the blocks of the slots that the shards have to exchange before the next update, quantity by quantity. */
  sums(slots: readonly Float32Array[]): Float64Array[] {
    const { rule, slots: names } = this.#optimizer;
    return (rule.shared?.sums ?? []).map(({ slot, absolute }) =>
      blockSums(slots[names.indexOf(slot)], absolute === true),
    );
  }

  /** Takes the sums over all shards, in the order of `sums`, into account. */
  learn(sums: readonly number[]): void {
    this.#shared = this.#optimizer.rule.shared?.next(this.#shared, sums) ?? [];
  }

  /** Takes the sum of the losses of a step into account, which is over. */
  observe(loss: number, examples: number): void {
    if (this.#plateau === undefined || examples === 0) return;
    this.#losses = afterStep(this.#losses, this.#plateau, loss, examples);
  }

  /** The sums of squares by which a gradient is clipped: per block of the shard, or where tensors are not cut, per block of each tensor, so that they do
   * not depend on where the shards begin. */
  blockSquares(gradient: Float32Array): Float64Array {
    return this.#optimizer.wholeTensors
      ? Float64Array.from(
          this.#parts.flatMap(({ begin, end }) => [
            ...this.#kernels.blockSquares(gradient.subarray(begin, end)),
          ]),
        )
      : this.#kernels.blockSquares(gradient);
  }

  /** Writes to `out` (which may be `gradient`, unless `wholeTensors`) what becomes of `current`: the update number `updates` of the shard, from 1, by the gradient of `step`, at a rate times `rateFactor`. */
  apply(
    out: Float32Array,
    current: Float32Array,
    gradient: Float32Array,
    slots: readonly Float32Array[],
    { step, updates, rateFactor = 1 }: { step: number; updates: number; rateFactor?: number },
  ): void {
    for (const { begin, end, frozenUntil, optimizer, slots: slotRanges, shape } of this.#parts) {
      const part = (vector: Float32Array) => vector.subarray(begin, end);
      if (step < frozenUntil) {
        part(out).set(part(current));
        continue;
      }
      // What was frozen begins its moments anew, so its bias corrections too.
      const count = Math.max(1, updates - frozenUntil * this.#updatesPerStep);
      const base = Number(optimizer.hyperparameters.learningRate);
      const learningRate = learningRateAt(this.#spec.schedule, base, step) * rateFactor * this.#losses[0];
      const now = { count, learningRate, shared: this.#shared };
      const slotParts = slots.map((slot, index) =>
        slot.subarray(slotRanges[index].begin, slotRanges[index].end),
      );
      this.#kernels.update(optimizer, part(out), part(current), part(gradient), slotParts, now, shape);
    }
  }
}

function partsOf(spec: JobSpec, range: Range): Part[] {
  const { layout } = spec;
  const { wholeTensors, slotLayouts } = createOptimizer(spec.optimizer);
  const slots = slotLayouts(layout);
  const wholes = wholeTensors ? tensorsIn(layout, range) : [{ ...range, shape: [range.end - range.begin] }];
  return wholes.flatMap(({ shape, ...whole }) =>
    segmentsOf(spec, whole).map((segment) => ({
      ...segment,
      ...shifted(segment, range.begin),
      optimizer: createOptimizer(withOptions(spec.optimizer, segment)),
      slots: slots.map((slot) =>
        shifted(
          rangeInSlot(layout, slot.layout, segment),
          rangeInSlot(layout, slot.layout, { begin: range.begin, end: range.begin }).begin,
        ),
      ),
      shape,
    })),
  );
}

function tensorsIn({ tensors }: Layout, range: Range): (Range & { shape: readonly number[] })[] {
  return tensors
    .filter(({ offset, length }) => offset >= range.begin && offset + length <= range.end && length > 0)
    .map(({ offset, length, shape }) => ({ begin: offset, end: offset + length, shape }));
}

function shifted({ begin, end }: Range, origin: number): Range {
  return { begin: begin - origin, end: end - origin };
}

/** The optimizer with the hyperparameters of a segment. */
function withOptions(spec: OptimizerSpec, segment: Segment): OptimizerSpec {
  const { hyperparameters } = spec;
  const { learningRateScale, weightDecay } = segment;
  if (learningRateScale === 1 && weightDecay) return spec;
  const base = Number(createOptimizer(spec).hyperparameters.learningRate);
  return {
    ...spec,
    hyperparameters: {
      ...hyperparameters,
      ...(learningRateScale !== 1 && { learningRate: base * learningRateScale }),
      ...(!weightDecay && { weightDecay: 0 }),
    },
  };
}

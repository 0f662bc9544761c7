import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import { liveRanges, type Segment } from '@tributary/core/layout/segments.ts';
import { sumOfBlocks } from '@tributary/core/reduction/blockSquares.ts';
import { type RankRange, splitPoint } from '@tributary/core/reduction/tree.ts';
import type { Trace } from '@tributary/core/trace/Trace.ts';
import type { GradientProgram } from '../compute/GradientProgram.ts';
import type { Batch } from '../data/Dataset.ts';
import { solveBlocksOf } from '../methods/quantum/BlockTask.ts';
import type { NodeSum, Quantity, SharedWork } from './gradientMessages.ts';
import type { RankBatches } from './RankBatches.ts';

const kernelBytesMax = 3 * 2 ** 30;

/**
 * The worker's half of the reduction tree: what single ranks compute at the leaves, added along the tree. All of it happens in the memory of the kernels;
 * only the sum is copied out.
 */
export class RankSums {
  readonly #program: GradientProgram;
  readonly #batches: RankBatches;
  readonly #segments: readonly Segment[];
  readonly #kernels: VectorKernels;
  /** By length, one for each level of the tree, made when first needed. */
  readonly #scratch = new Map<number, Float32Array[]>();
  readonly #measuresSquares: boolean;
  readonly #trace: Trace | undefined;
  #allocatedBytes = 0;

  /** `segments` of the whole vector: the gradient of what is frozen is 0. */
  constructor(
    program: GradientProgram,
    batches: RankBatches,
    segments: readonly Segment[],
    kernels: VectorKernels,
    measuresSquares: boolean,
    trace?: Trace,
  ) {
    this.#program = program;
    this.#batches = batches;
    this.#segments = segments;
    this.#kernels = kernels;
    this.#measuresSquares = measuresSquares;
    this.#trace = trace;
  }

  /** Fills `target` with the sum over the node's ranks of (examples x mean of the quantity over them), or of their parts of the work. */
  async sum(
    quantity: Quantity | SharedWork,
    node: RankRange,
    step: number,
    target: Float32Array,
  ): Promise<NodeSum> {
    await this.#batches.rest();
    const sum = this.#scratchOf(0, target.length);
    const found = await this.#node(quantity, node, step, sum, 0);
    target.set(sum);
    return found;
  }

  async #node(
    quantity: Quantity | SharedWork,
    node: RankRange,
    step: number,
    sum: Float32Array,
    level: number,
  ): Promise<NodeSum> {
    if (node.end - node.begin === 1) return this.#leaf(quantity, node.begin, step, sum, level);
    const middle = splitPoint(node);
    const left = await this.#node(quantity, { begin: node.begin, end: middle }, step, sum, level + 1);
    const scratch = this.#scratchOf(level + 1, sum.length);
    const right = await this.#node(quantity, { begin: middle, end: node.end }, step, scratch, level + 1);
    const end = this.#trace?.begin('compute', 'add', { ...node, step });
    this.#kernels.add(sum, scratch);
    end?.();
    return {
      weight: left.weight + right.weight,
      loss: left.loss + right.loss,
      finite: left.finite && right.finite,
      ...(this.#measuresSquares && { squares: (left.squares ?? 0) + (right.squares ?? 0) }),
    };
  }

  #scratchOf(level: number, length: number): Float32Array {
    const levels = this.#scratch.get(length) ?? [];
    this.#scratch.set(length, levels);
    levels[level] ??= this.#allocate(length);
    return levels[level];
  }

  /** Kernels reach 4 GiB of memory. What is beyond is worked on by plain loops, to the same bits. */
  #allocate(length: number): Float32Array {
    this.#allocatedBytes += length * 4;
    return this.#allocatedBytes > kernelBytesMax ? new Float32Array(length) : this.#kernels.allocate(length);
  }

  /** The minibatch of one rank, part by part. */
  async #leaf(
    quantity: Quantity | SharedWork,
    rank: number,
    step: number,
    sum: Float32Array,
    level: number,
  ): Promise<NodeSum> {
    if (quantity.kind === 'blocks') {
      solveBlocksOf(rank, quantity.ranks, quantity.task, sum);
      return { weight: 1, loss: 0, finite: true };
    }
    let total: NodeSum = { weight: 0, loss: 0, finite: true };
    let part = 0;
    for await (const { batch, examples } of this.#batches.read(rank, step)) {
      const values = part === 0 ? sum : this.#scratchOf(level + 1, sum.length);
      const key = this.#batches.key(rank, step, part);
      const end = this.#trace?.begin('compute', `compute ${quantity.kind}`, { rank, step });
      const meanLoss = await this.#compute(quantity, batch, values, key);
      end?.();
      if (quantity.kind === 'gradient') this.#freeze(values, step);
      const finite = this.#kernels.scale(values, values, examples) && Number.isFinite(meanLoss);
      if (part > 0) this.#kernels.add(sum, values);
      total = {
        weight: total.weight + examples,
        loss: total.loss + meanLoss * examples,
        finite: total.finite && finite,
      };
      part++;
    }
    if (part === 0) sum.fill(0);
    if (!this.#measuresSquares || part === 0) return total;
    return { ...total, squares: sumOfBlocks([this.#kernels.blockSquares(sum)]) / total.weight };
  }

  #freeze(gradient: Float32Array, step: number): void {
    let end = 0;
    for (const live of liveRanges(this.#segments, step)) {
      gradient.fill(0, end, live.begin);
      end = live.end;
    }
    gradient.fill(0, end);
  }

  /** Fills `target`, and returns the mean loss; 0 where that does not come with the quantity. */
  async #compute(quantity: Quantity, batch: Batch, target: Float32Array, key: Int32Array): Promise<number> {
    const program = this.#program;
    switch (quantity.kind) {
      case 'loss':
        return program.loss(quantity.at, batch);
      case 'gradient':
        return program.run(quantity.at, batch, target);
      case 'hessian':
        await program.hessian(quantity.at, batch, quantity.places, target);
        return 0;
      case 'metric':
        await program.metric(quantity.at, batch, quantity.places, target);
        return 0;
      case 'hessianVector':
        await program.curvatureVectorProduct(
          'Hessian-vector product',
          quantity.at,
          batch,
          quantity.vector,
          target,
        );
        return 0;
      case 'kroneckerFactors':
        await program.kroneckerFactors(quantity.prediction, quantity.at, batch, key, target);
        return 0;
      case 'gaussNewtonVector':
        await program.curvatureVectorProduct(
          'Gauss-Newton product',
          quantity.at,
          batch,
          quantity.vector,
          target,
        );
        return 0;
    }
  }
}

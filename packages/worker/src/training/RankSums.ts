import { liveRanges, type Segment } from '@tributary/core/layout/segments.ts';
import { addInto } from '@tributary/core/reduction/TreeSum.ts';
import { type RankRange, splitPoint } from '@tributary/core/reduction/tree.ts';
import type { GradientProgram } from '../compute/GradientProgram.ts';
import type { Batch } from '../data/Dataset.ts';
import type { NodeSum, Quantity } from './gradientMessages.ts';
import type { RankBatches } from './RankBatches.ts';

/** The worker's half of the reduction tree: what single ranks compute at the leaves, added along the tree. */
export class RankSums {
  readonly #program: GradientProgram;
  readonly #batches: RankBatches;
  readonly #segments: readonly Segment[];
  /** One buffer per level of the tree, made when first needed. */
  readonly #scratch: Float32Array[] = [];

  /** `segments` of the whole vector: the gradient of what is frozen is 0. */
  constructor(program: GradientProgram, batches: RankBatches, segments: readonly Segment[]) {
    this.#program = program;
    this.#batches = batches;
    this.#segments = segments;
  }

  /** Fills `target` with the sum over the node's ranks of (examples x mean of the quantity over them). */
  async sum(
    quantity: Quantity,
    node: RankRange,
    step: number,
    target: Float32Array,
    level = 0,
  ): Promise<NodeSum> {
    if (node.end - node.begin === 1) return this.#leaf(quantity, node.begin, step, target);
    const middle = splitPoint(node);
    const left = await this.sum(quantity, { begin: node.begin, end: middle }, step, target, level + 1);
    const scratch = this.#scratchOf(level, target.length);
    const right = await this.sum(quantity, { begin: middle, end: node.end }, step, scratch, level + 1);
    addInto(target, scratch);
    return {
      weight: left.weight + right.weight,
      loss: left.loss + right.loss,
      finite: left.finite && right.finite,
    };
  }

  #scratchOf(level: number, length: number): Float32Array {
    if (this.#scratch[level]?.length !== length) this.#scratch[level] = new Float32Array(length);
    return this.#scratch[level];
  }

  async #leaf(quantity: Quantity, rank: number, step: number, target: Float32Array): Promise<NodeSum> {
    const { batch, examples: weight } = await this.#batches.read(rank, step);
    if (weight === 0) {
      target.fill(0);
      return { weight, loss: 0, finite: true };
    }
    const meanLoss = await this.#compute(quantity, batch, target);
    if (quantity.kind === 'gradient') this.#freeze(target, step);
    let finite = Number.isFinite(meanLoss);
    for (let index = 0; index < target.length; index++) {
      const value = target[index] * weight;
      target[index] = value;
      // Infinity - Infinity and NaN - NaN are NaN; only a finite number minus itself is 0.
      if (value - value !== 0) finite = false;
    }
    return { weight, loss: meanLoss * weight, finite };
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
  async #compute(quantity: Quantity, batch: Batch, target: Float32Array): Promise<number> {
    const program = this.#program;
    switch (quantity.kind) {
      case 'loss':
        return program.loss(quantity.at, batch);
      case 'gradient':
        return program.run(quantity.at, batch, target);
      case 'hessian':
        await program.hessian(quantity.at, batch, target);
        return 0;
      case 'hessianVector':
        await program.hessianVectorProduct(quantity.at, batch, quantity.vector, target);
        return 0;
    }
  }
}

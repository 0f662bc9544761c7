import { addInto } from '@tributary/core/reduction/TreeSum.ts';
import { type RankRange, splitPoint } from '@tributary/core/reduction/tree.ts';
import type { GradientProgram } from '../compute/GradientProgram.ts';
import type { Dataset } from '../data/Dataset.ts';
import type { Sampler } from '../data/sampler.ts';
import type { NodeSum } from './gradientMessages.ts';

/** The worker's half of the reduction tree: gradients of single ranks at the leaves, added along the tree. */
export class RankGradients {
  readonly #program: GradientProgram;
  readonly #data: Dataset;
  readonly #sampler: Sampler;
  readonly #parameters: Float32Array;
  /** One buffer per level of the tree, made when first needed. */
  readonly #scratch: Float32Array[] = [];

  constructor(program: GradientProgram, data: Dataset, sampler: Sampler, parameters: Float32Array) {
    this.#program = program;
    this.#data = data;
    this.#sampler = sampler;
    this.#parameters = parameters;
  }

  /** Fills `target` with the sum over the node's ranks of (examples x mean gradient). */
  async sum(node: RankRange, step: number, target: Float32Array, level = 0): Promise<NodeSum> {
    if (node.end - node.begin === 1) return this.#leaf(node.begin, step, target);
    const middle = splitPoint(node);
    const left = await this.sum({ begin: node.begin, end: middle }, step, target, level + 1);
    this.#scratch[level] ??= new Float32Array(target.length);
    const right = await this.sum({ begin: middle, end: node.end }, step, this.#scratch[level], level + 1);
    addInto(target, this.#scratch[level]);
    return {
      weight: left.weight + right.weight,
      loss: left.loss + right.loss,
      finite: left.finite && right.finite,
    };
  }

  async #leaf(rank: number, step: number, target: Float32Array): Promise<NodeSum> {
    const examples = this.#sampler.examples(rank, step);
    const batch = await this.#data.read(examples);
    const meanLoss = await this.#program.run(this.#parameters, batch, target);
    const weight = examples.length;
    let finite = Number.isFinite(meanLoss);
    for (let index = 0; index < target.length; index++) {
      const value = target[index] * weight;
      target[index] = value;
      // Infinity - Infinity and NaN - NaN are NaN; only a finite number minus itself is 0.
      if (value - value !== 0) finite = false;
    }
    return { weight, loss: meanLoss * weight, finite };
  }
}

import type { ParameterClient } from '@tributary/client/ParameterClient.ts';
import { invariant } from '@tributary/core/errors/invariant.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import { gatherLive, type LiveModel, placesOf, scatterLive } from '@tributary/core/layout/liveModel.ts';
import { methodPrefix } from '@tributary/core/layout/methodState.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import type { RankRange } from '@tributary/core/reduction/tree.ts';
import {
  type Approximation,
  type BlockTask,
  readSolved,
  solvedLength,
} from '../methods/quantum/BlockTask.ts';
import type { FactorsAsked, LossAndGradient, StepContext, Vector } from '../methods/StepMethod.ts';
import type { GradientThread } from './GradientThread.ts';
import type { Quantity, SharedWork } from './gradientMessages.ts';
import { sharedFloats } from './sharedFloats.ts';

/** Another worker has one of these ranks now. */
export class RanksFenced extends Error {
  readonly ranks: RankRange;

  constructor(ranks: RankRange, reason: string) {
    super(reason);
    this.ranks = ranks;
  }
}

export interface ClusterStepOptions {
  readonly thread: GradientThread;
  readonly client: ParameterClient;
  /** The nodes of the reduction tree that this worker computes, one at least, and the fencing tokens of their ranks. */
  readonly nodes: readonly RankRange[];
  readonly tokens: ReadonlyMap<number, number>;
  readonly step: number;
  /** Of the job. */
  readonly ranks: number;
  /** Of all that is sharded: the whole model, and behind it the state of the method. */
  readonly layout: Layout;
  /** What of the model the method sees. */
  readonly live: LiveModel;
  /** As pulled; not changed. */
  readonly pulled: Float32Array;
  readonly fullBatch: boolean;
  /** Ends every wait with CANCELLED: the step is begun again. */
  readonly signal: AbortSignal;
}

/**
 * One step of a method on the cluster: every quantity is computed for the ranks that this worker holds, and summed over all ranks by the servers, as
 * round 0, 1, 2, ... of the step. So all workers see the same numbers in the same order.
 */
export class ClusterStep implements StepContext {
  readonly parameters: Float32Array;
  readonly fullBatch: boolean;
  readonly #options: ClusterStepOptions;
  readonly #next: Float32Array;
  readonly #shared = new Map<string, Float32Array>();
  #approximation: Approximation = { blocks: 0, ratios: 0, optima: 0 };
  #round = 0;
  #passes = 0;
  #examples = 0;

  constructor(options: ClusterStepOptions) {
    this.#options = options;
    this.#next = options.pulled.slice();
    this.parameters = new Float32Array(options.live.layout.length);
    gatherLive(options.live, options.pulled, this.parameters);
    this.fullBatch = options.fullBatch;
  }

  /** Parameters and state after the step: what is to be pushed. */
  get next(): Float32Array {
    scatterLive(this.#options.live, this.parameters, this.#next);
    return this.#next;
  }

  /** Of all ranks at this step; known after the first quantity. */
  get examples(): number {
    return this.#examples;
  }

  /** Of all blocks that QAOA solved, so far. */
  get approximation(): Approximation {
    return this.#approximation;
  }

  /** Over these examples, so far. */
  get passes(): number {
    return this.#passes;
  }

  state(name: string): Float32Array {
    const tensor = this.#options.layout.tensors.find((candidate) => candidate.name === methodPrefix + name);
    invariant(tensor !== undefined, `the method has no state "${name}"`);
    return this.#next.subarray(tensor.offset, tensor.offset + tensor.length);
  }

  async loss(at: Vector): Promise<number> {
    return (await this.#mean({ kind: 'loss', at: this.#point(at) }, 0)).loss;
  }

  async gradient(at: Vector): Promise<LossAndGradient> {
    const { loss, values } = await this.#meanVector({ kind: 'gradient', at: this.#point(at) });
    return { loss, gradient: values };
  }

  async hessian(at: Vector, range: Range = { begin: 0, end: this.parameters.length }): Promise<Float64Array> {
    return this.#triangle('hessian', at, range);
  }

  hessianVectorProduct(at: Vector, vector: Vector): Promise<Float64Array> {
    return this.#product('hessianVector', at, vector);
  }

  gaussNewtonVectorProduct(at: Vector, vector: Vector): Promise<Float64Array> {
    return this.#product('gaussNewtonVector', at, vector);
  }

  async kroneckerFactors(at: Vector, { prediction, length }: FactorsAsked): Promise<Float64Array> {
    const quantity: Quantity = { kind: 'kroneckerFactors', at: this.#point(at), prediction };
    return (await this.#mean(quantity, length)).values;
  }

  async #product(
    kind: 'hessianVector' | 'gaussNewtonVector',
    at: Vector,
    vector: Vector,
  ): Promise<Float64Array> {
    const direction = this.#buffer('direction', this.#options.live.wholeLength);
    scatterLive(this.#options.live, vector, direction);
    return (await this.#meanVector({ kind, at: this.#point(at), vector: direction })).values;
  }

  metric(at: Vector): Promise<Float64Array> {
    return this.#triangle('metric', at, { begin: 0, end: this.parameters.length });
  }

  async #triangle(kind: 'hessian' | 'metric', at: Vector, range: Range): Promise<Float64Array> {
    const length = range.end - range.begin;
    const places = placesOf(this.#options.live, range);
    const quantity: Quantity = { kind, at: this.#point(at), places };
    return (await this.#mean(quantity, (length * (length + 1)) / 2)).values;
  }

  async solveBlocks(task: BlockTask): Promise<Float64Array> {
    const work: SharedWork = { kind: 'blocks', task, ranks: this.#options.ranks };
    const { steps, approximation } = readSolved((await this.#sum(work, solvedLength(task))).values);
    const before = this.#approximation;
    this.#approximation = {
      blocks: before.blocks + approximation.blocks,
      ratios: before.ratios + approximation.ratios,
      optima: before.optima + approximation.optima,
    };
    return steps;
  }

  /** Of a quantity that has an element for each parameter: those of the live ones. */
  #meanVector(quantity: Quantity): Promise<{ loss: number; values: Float64Array }> {
    return this.#mean(quantity, this.parameters.length, this.#options.live);
  }

  async #mean(
    quantity: Quantity,
    length: number,
    partOf?: LiveModel,
  ): Promise<{ loss: number; values: Float64Array }> {
    const { weight, loss, values } = await this.#sum(quantity, length, partOf);
    this.#passes++;
    this.#examples = weight;
    return { loss: loss / weight, values: Float64Array.from(values, (value) => value / weight) };
  }

  async #sum(
    quantity: Quantity | SharedWork,
    length: number,
    partOf?: LiveModel,
  ): Promise<{ weight: number; loss: number; values: Float32Array }> {
    const { thread, client, nodes, tokens, step, signal } = this.#options;
    const round = this.#round++;
    const values = this.#buffer(`sum of ${length}`, length);
    const isPart = partOf !== undefined && length < partOf.wholeLength;
    const computed = isPart ? this.#buffer('whole', partOf.wholeLength) : values;
    const total = new Float32Array(length);
    let summed = { weight: 0, loss: 0 };
    for (const [index, ranks] of nodes.entries()) {
      const { weight, loss } = await thread.sum(quantity, ranks, step, computed);
      if (isPart) gatherLive(partOf, computed, values);
      const held = Array.from(
        { length: ranks.end - ranks.begin },
        (_, rank) => tokens.get(ranks.begin + rank)!,
      );
      const contribution = { ranks, step, round, tokens: held, weight, loss, values };
      const isLast = index === nodes.length - 1;
      const result = await client.reduce(contribution, isLast ? total : undefined, { signal });
      if (result.outcome === 'fenced') throw new RanksFenced(ranks, result.reason);
      summed = result;
    }
    return { ...summed, values: total };
  }

  /** The whole model with these live parameters, where the compute thread can read it. */
  #point(at: Vector): Float32Array {
    const { live, pulled } = this.#options;
    const buffer = this.#buffer('at', live.wholeLength);
    buffer.set(pulled.subarray(0, live.wholeLength));
    scatterLive(live, at, buffer);
    return buffer;
  }

  #buffer(role: string, length: number): Float32Array {
    const buffer = this.#shared.get(role) ?? sharedFloats(length);
    this.#shared.set(role, buffer);
    return buffer;
  }
}

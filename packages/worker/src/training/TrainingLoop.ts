import { setTimeout as sleep } from 'node:timers/promises';
import { ParameterClient } from '@tributary/client/ParameterClient.ts';
import type { TransportChoice } from '@tributary/client/transport/transport.ts';
import type { JobRecord, Placement } from '@tributary/coordinator/Coordinator.ts';
import type { MetricsQueue } from '@tributary/coordinator/MetricsQueue.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import { type LiveModel, liveModel } from '@tributary/core/layout/liveModel.ts';
import { averageSlot } from '@tributary/core/layout/slotLayout.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { coveringNodes, type RankRange, splitPoint } from '@tributary/core/reduction/tree.ts';
import type { Trace } from '@tributary/core/trace/Trace.ts';
import { passesState } from '../methods/passes.ts';
import type { Approximation } from '../methods/quantum/BlockTask.ts';
import type { StepMethod } from '../methods/StepMethod.ts';
import { createStepMethod } from '../methods/table.ts';
import { ClusterStep, RanksFenced } from './ClusterStep.ts';
import type { ErrorFeedback } from './ErrorFeedback.ts';
import type { GradientThread } from './GradientThread.ts';
import { NodePusher } from './NodePusher.ts';
import { nextTurn, type Turn, turnAfter } from './nextTurn.ts';
import type { Pulled, PulledParameters } from './PulledParameters.ts';
import { PushBehind } from './PushBehind.ts';
import type { RankLeases } from './RankLeases.ts';
import { sharedFloats } from './sharedFloats.ts';
import type { UsageReport } from './UsageReport.ts';

export interface TrainingLoopOptions {
  readonly record: JobRecord;
  readonly leases: RankLeases;
  readonly thread: GradientThread;
  /** Two vectors where the job pulls ahead. */
  readonly parameters: PulledParameters;
  /** In shared memory; at least two, so that one is pushed while the next is computed. They are as long as `feedback` works in, if it is given. */
  readonly gradients: readonly Float32Array[];
  readonly transport: TransportChoice;
  /** Of this host, if there is one. */
  readonly aggregator?: string | undefined;
  /** Decodes parameters. */
  readonly kernels: VectorKernels;
  /** Encodes gradients; without it they are pushed as they are. */
  readonly feedback: ErrorFeedback | undefined;
  readonly metrics: MetricsQueue;
  readonly usage: UsageReport;
  readonly trace: Trace | undefined;
  readonly log: (level: 'info' | 'warning' | 'error', message: string) => void;
}

/**
 * Pull, compute, push, for whatever ranks this worker holds at the moment.
 *
 * Each rank has a clock, the next step it is to compute. The loop takes the ranks that are furthest behind, so a rank that came
 * from a dead worker in the middle of a step is brought up by the same rule by which all others advance: its first clock is
 * read from the servers. In the synchronous mode ranks at the same step are computed on the same parameters and pushed as sums; in the
 * others each rank goes by itself.
 *
 * The network and the thread that computes are busy at the same time: pushes are under way while the next gradients are computed, the next minibatches are read
 * meanwhile, and the next parameters asked for before they are there (docs/decisions/0013-overlap.md). What is computed does not depend on any of that, but where the job pulls ahead.
 *
 * Gradients that are encoded go rank by rank in every mode: what encoding takes from a rank is given back to that rank.
 *
 * Where the job has a method, it computes the whole step in place of the gradient; the holder of rank 0 pushes what comes out.
 */
export class TrainingLoop {
  readonly #options: TrainingLoopOptions;
  readonly #synchronous: boolean;
  readonly #pullsAhead: boolean;
  readonly #pusher: NodePusher;
  readonly #method: StepMethod | undefined;
  readonly #live: LiveModel;
  readonly #keepsAverage: boolean;
  /** By rank: the next step. Only of ranks that are held; forgotten when the shards are restored. */
  readonly #clocks = new Map<number, number>();
  /** Those that the clocks are of, with their tokens. */
  #held: ReadonlyMap<number, number> = new Map();
  /** Where the job pulls ahead: the push of the turn before, and how many turns there were. */
  readonly #behind = new PushBehind();
  #turns = 0;
  #client: ParameterClient | undefined;
  #generation = -1;
  #endStep: number;
  #evaluatedStep = 0;
  #stopped = false;
  /** Aborted to end a wait when ranks or shards have moved. */
  #wait = new AbortController();

  constructor(options: TrainingLoopOptions) {
    this.#options = options;
    this.#synchronous = options.record.spec.staleness === 0;
    this.#pullsAhead = options.record.spec.pullAhead === true;
    this.#pusher = new NodePusher(options);
    this.#endStep = options.record.endStep;
    const { method } = options.record.spec;
    this.#live = liveModel(options.record.spec);
    this.#keepsAverage = createOptimizer(options.record.spec.optimizer).slots.includes(averageSlot);
    this.#method = method && createStepMethod(method, this.#live.layout);
  }

  /** Called with every placement that is seen: takes and gives ranks, and turns to other servers when the shards were restored. */
  async follow(placement: Placement): Promise<void> {
    let changed = await this.#options.leases.follow(placement);
    if (placement.generation !== this.#generation) {
      this.#generation = placement.generation;
      void this.#client?.close();
      const { record, usage, kernels, feedback, transport, aggregator, trace, log } = this.#options;
      this.#client = new ParameterClient({
        jobHash: record.hash,
        generation: placement.generation,
        shards: placement.shards,
        trained: record.spec,
        traffic: usage.traffic,
        pullEncoding: record.spec.pullEncoding?.name ?? 'f32',
        kernels,
        transport,
        aggregator,
        trace,
        log,
        toldAfterMs: limits.retryToldMs,
      });
      this.#clocks.clear();
      feedback?.clear();
      changed = true;
    }
    if (changed) this.#wake();
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      if (this.#wait.signal.aborted) this.#wait = new AbortController();
      const client = this.#client;
      const tokens = this.#options.leases.tokens();
      if (client === undefined || tokens.size === 0) await this.#pause(limits.placementPollMs);
      else {
        try {
          await this.#advance(client, tokens);
        } catch (error) {
          await this.#tolerate(error, client);
        }
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#client?.close();
  }

  /** One step of the ranks that are furthest behind. */
  async #advance(client: ParameterClient, tokens: ReadonlyMap<number, number>): Promise<void> {
    const { spec } = this.#options.record;
    await this.#learnClocks(client, tokens);
    const turn = nextTurn(this.#clocks, this.#synchronous);
    const { step, ranks } = turn;
    if (step >= this.#endStep) {
      await this.#giveBack(await this.#behind.settle(client));
      return this.#pause(limits.placementPollMs);
    }
    const pulled = await this.#options.parameters.take(client, step, this.#wait.signal);
    this.#endStep = pulled.endStep;
    if (!pulled.ready) return;
    const evaluationDue = spec.evaluateEverySteps > 0 && step > 0 && step % spec.evaluateEverySteps === 0;
    if (evaluationDue && ranks.includes(0) && step > this.#evaluatedStep)
      await this.#evaluate(client, step, pulled.values);

    if (this.#pullsAhead) return this.#passOn(client, turn, tokens, pulled);
    const nodes =
      this.#options.feedback === undefined
        ? coveringNodes(ranks, spec.ranks)
        : ranks.map((rank) => ({ begin: rank, end: rank + 1 }));
    const fenced =
      this.#method === undefined
        ? await this.#pushAll(client, nodes, turn, tokens, pulled)
        : await this.#stepAll(this.#method, client, nodes, turn, tokens, pulled);
    await this.#options.leases.giveBack(fenced);
    for (const rank of ranks)
      if (!fenced.has(rank) && this.#clocks.has(rank)) this.#clocks.set(rank, step + 1);
    this.#options.usage.tell(step + 1);
  }

  /** Computes and pushes node after node, pushing some while the next is computed. Returns the ranks that others have now. */
  async #pushAll(
    client: ParameterClient,
    nodes: readonly RankRange[],
    turn: Turn,
    tokens: ReadonlyMap<number, number>,
    pulled: Pulled,
  ): Promise<Set<number>> {
    const { step } = turn;
    const { thread, parameters, gradients } = this.#options;
    // A node waits at an aggregator for those of others; with more nodes than can be under way at once they would wait for each other.
    const gathered = nodes.length <= gradients.length;
    const work = { client, step, tokens, versions: pulled.versions, gathered };
    let { values } = pulled;
    const fenced = new Set<number>();
    const todo = [...nodes];
    const underWay: Promise<void>[] = gradients.map(() => Promise.resolve());
    let failure: unknown;
    for (let count = 0; failure === undefined; count++) {
      // The last pushes may yet send a node back to be split.
      if (todo.length === 0) await Promise.all(underWay);
      const node = todo.shift();
      if (node === undefined) break;
      // One was sent back after the next parameters were asked for, which come in the place of these.
      if (parameters.isAhead) ({ values } = await parameters.take(client, step, this.#wait.signal));
      const slot = count % gradients.length;
      await underWay[slot];
      const target = gradients[slot].subarray(0, values.length);
      const sum = await thread.sum({ kind: 'gradient', at: values }, node, step, target);
      if (!sum.finite && node.end - node.begin > 1) todo.unshift(...halves(node));
      else {
        const isLast = todo.length === 0;
        if (isLast) this.#readAhead(turn);
        underWay[slot] = this.#pusher.push({ ...work, node }, sum, gradients[slot]).then(
          (outcome) => {
            if (outcome === 'split') todo.unshift(...halves(node));
            if (outcome === 'fenced') for (let rank = node.begin; rank < node.end; rank++) fenced.add(rank);
          },
          (error: unknown) => {
            failure ??= error;
          },
        );
        if (isLast && this.#synchronous) this.#pullAhead(client, turn);
      }
    }
    await Promise.all(underWay);
    if (failure !== undefined) throw failure;
    return fenced;
  }

  /** Computes a rank's gradient while the next parameters come and the gradient before goes, and leaves it to the next turn to wait for its own push. */
  async #passOn(
    client: ParameterClient,
    turn: Turn,
    tokens: ReadonlyMap<number, number>,
    pulled: Pulled,
  ): Promise<void> {
    const { thread, gradients } = this.#options;
    const { step, ranks } = turn;
    const [rank] = ranks;
    const node = { begin: rank, end: rank + 1 };
    this.#pullAhead(client, turn);
    const gradient = gradients[this.#turns++ % gradients.length];
    const target = gradient.subarray(0, pulled.values.length);
    const sum = await thread.sum({ kind: 'gradient', at: pulled.values }, node, step, target);
    this.#readAhead(turn);
    const fenced = await this.#behind.settle(client);
    await this.#giveBack(fenced);
    if (fenced?.begin === rank) return;
    const work = { client, node, step, tokens, versions: pulled.versions };
    this.#behind.start(client, node, this.#pusher.push(work, sum, gradient));
    if (this.#clocks.has(rank)) this.#clocks.set(rank, step + 1);
    this.#options.usage.tell(step + 1);
  }

  async #giveBack(fenced: RankRange | undefined): Promise<void> {
    if (fenced !== undefined) await this.#options.leases.giveBack(ranksOf([fenced]));
  }

  /** Nothing is left to compute of this turn, but to push and to pull: time to read. */
  #readAhead(turn: Turn): void {
    const { step, ranks } = turnAfter(turn, this.#clocks, this.#synchronous);
    if (step < this.#endStep) this.#options.thread.readAhead(ranks, step);
  }

  /** Asks for the next parameters: in the synchronous mode together with the last push, as they come when the step closes. */
  #pullAhead(client: ParameterClient, turn: Turn): void {
    const { step } = turnAfter(turn, this.#clocks, this.#synchronous);
    if (step < this.#endStep) this.#options.parameters.ask(client, step, this.#wait.signal);
  }

  /** Lets the method compute the step, and pushes what the parameters become. Returns the ranks that others have now. */
  async #stepAll(
    method: StepMethod,
    client: ParameterClient,
    nodes: readonly RankRange[],
    turn: Turn,
    tokens: ReadonlyMap<number, number>,
    pulled: Pulled,
  ): Promise<Set<number>> {
    const { step } = turn;
    const { spec } = this.#options.record;
    const context = new ClusterStep({
      ...{ client, nodes, tokens, step, live: this.#live, layout: spec.layout },
      thread: this.#options.thread,
      pulled: pulled.values,
      ranks: spec.ranks,
      fullBatch: spec.sampling === 'full',
      signal: this.#wait.signal,
    });
    const fenced = new Set<number>();
    const fence = (node: RankRange) => {
      for (let rank = node.begin; rank < node.end; rank++) fenced.add(rank);
    };
    const work = { client, step, tokens, versions: pulled.versions };
    try {
      if (spec.passesMax !== undefined && context.state(passesState.name)[0] >= spec.passesMax) {
        // Everyone sees the same, so all skip this step together; it is the last.
        if (ranksOf(nodes).includes(0))
          this.#endStep = await client.endAt(step, { signal: this.#wait.signal });
        for (const node of nodes) if ((await this.#pusher.skip({ ...work, node })) === 'fenced') fence(node);
        return fenced;
      }
      const loss = await method.step(context);
      this.#readAhead(turn);
      if (spec.passesMax !== undefined) {
        context.state(passesState.name)[0] += (context.passes * context.examples) / spec.trainSize;
      }
      const sum = { weight: context.examples, loss: loss * context.examples, finite: Number.isFinite(loss) };
      const others = ranksOf(nodes).filter((rank) => rank !== 0);
      if (others.length < ranksOf(nodes).length) {
        const first = { begin: 0, end: 1 };
        const outcome = await this.#pusher.push({ ...work, node: first }, sum, context.next);
        if (outcome === 'fenced') fence(first);
        else this.#tellApproximation(step, context.approximation);
      }
      for (const node of coveringNodes(others, spec.ranks)) {
        if ((await this.#pusher.skip({ ...work, node })) === 'fenced') fence(node);
      }
    } catch (error) {
      if (!(error instanceof RanksFenced)) throw error;
      fence(error.ranks);
      // Whatever else it holds has to wait for whoever has these ranks now, and begins the step again with them.
      for (const rank of ranksOf(nodes)) if (!fenced.has(rank)) this.#clocks.delete(rank);
    }
    return fenced;
  }

  #tellApproximation(step: number, { blocks, ratios, optima }: Approximation): void {
    if (blocks === 0) return;
    const ratio = ratios / blocks;
    this.#options.metrics.append({ kind: 'qaoa', step, blocks, ratio, optima, timeMs: Date.now() });
  }

  /** Where the ranks are that came since the last step: the least step that some shard still lacks. */
  async #learnClocks(client: ParameterClient, tokens: ReadonlyMap<number, number>): Promise<void> {
    // How far a rank is, and what is owed of it, is known when its push is settled.
    const isSame =
      tokens.size === this.#held.size && [...tokens].every(([rank, token]) => this.#held.get(rank) === token);
    if (!isSame || this.#clocks.size < tokens.size) await this.#behind.rest();
    this.#held = tokens;
    for (const rank of this.#clocks.keys()) if (!tokens.has(rank)) this.#clocks.delete(rank);
    this.#options.feedback?.retain(tokens);
    const unknown = [...tokens.keys()].filter((rank) => !this.#clocks.has(rank));
    if (unknown.length === 0) return;
    const shards = (await client.describe()).flatMap((server) => server.shards);
    for (const rank of unknown)
      this.#clocks.set(rank, Math.min(...shards.map((shard) => shard.clocks[rank])));
  }

  /** The parameters that were pulled, or the average that servers keep of them. */
  async #evaluated(client: ParameterClient, pulled: Float32Array): Promise<Float32Array> {
    if (!this.#keepsAverage) return pulled;
    const average = sharedFloats(pulled.length);
    await client.pullAverage(average, { signal: this.#wait.signal });
    return average;
  }

  async #evaluate(client: ParameterClient, step: number, pulled: Float32Array): Promise<void> {
    const beganAtMs = performance.now();
    const end = this.#options.trace?.begin('compute', 'evaluate', { step });
    const { loss, accuracy } = await this.#options.thread.evaluate(await this.#evaluated(client, pulled));
    end?.();
    const tookMs = Math.round(performance.now() - beganAtMs);
    this.#options.metrics.append({ kind: 'evaluation', step, loss, accuracy, tookMs, timeMs: Date.now() });
    this.#evaluatedStep = step;
  }

  /** Servers that are away come back or are replaced: the placement will say. Until then, ask again. */
  async #tolerate(error: unknown, client: ParameterClient): Promise<void> {
    if (this.#stopped || this.#wait.signal.aborted || client !== this.#client) return;
    const passing =
      error instanceof TributaryError &&
      ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'FAILED_PRECONDITION'].includes(error.code);
    if (!passing) throw error;
    this.#clocks.clear();
    await this.#pause(limits.retryBackoffMs);
  }

  #wake(): void {
    this.#wait.abort();
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#wait.signal }).catch(() => {});
  }
}

function ranksOf(nodes: readonly RankRange[]): number[] {
  return nodes.flatMap(({ begin, end }) => Array.from({ length: end - begin }, (_, index) => begin + index));
}

function halves(node: RankRange): [RankRange, RankRange] {
  const middle = splitPoint(node);
  return [
    { begin: node.begin, end: middle },
    { begin: middle, end: node.end },
  ];
}

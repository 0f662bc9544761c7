import { setTimeout as sleep } from 'node:timers/promises';
import { encodedBytes } from '@tributary/core/codec/blocks.ts';
import type { Codec } from '@tributary/core/codec/Codec.ts';
import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { JobEncoding } from '@tributary/core/codec/JobEncoding.ts';
import { fastest, type PushOutcome, slowest, stalenessBound } from '@tributary/core/consistency/clocks.ts';
import { invariant } from '@tributary/core/errors/invariant.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { plainKernels } from '@tributary/core/kernels/plainKernels.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { clipScale } from '@tributary/core/optimizer/clip.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import { normOfBlocks, sumOfBlocks } from '@tributary/core/reduction/blockSquares.ts';
import { type Total, TreeSum } from '@tributary/core/reduction/TreeSum.ts';
import type { Trace } from '@tributary/core/trace/Trace.ts';
import { findBroken, type Rejection } from './findBroken.ts';
import type { MeasuredNoise } from './GradientBatch.ts';
import { judgePull, type PullFacts } from './judgePull.ts';
import { judgePush, type PushFacts, type PushJudgement, type PushState } from './judgePush.ts';
import { judgeReduce, type ReduceFacts } from './judgeReduce.ts';
import { LateGradients } from './LateGradients.ts';
import { ParameterVersions } from './ParameterVersions.ts';
import { PublishedParameters } from './PublishedParameters.ts';
import { ReduceSums } from './ReduceSums.ts';
import { ShardUpdate } from './ShardUpdate.ts';
import { VectorPool } from './VectorPool.ts';
import { Waiters } from './Waiters.ts';

/** All that a shard has to remember: what a checkpoint gives and takes. */
export interface ShardState {
  readonly parameters: Float32Array;
  /** In the optimizer's order. */
  readonly slots: readonly Float32Array[];
  /** What is remembered beside the vectors, see ShardUpdate; empty at the start of a job. */
  readonly numbers: readonly number[];
  /** Updates applied. */
  readonly updates: number;
  /** Steps completed, by rank. */
  readonly clocks: readonly number[];
}

/** A shard as it was when its slowest rank had completed `step` steps. The parameters are held, not copied: release them after use. */
export interface Snapshot {
  readonly step: number;
  readonly state: ShardState;
  release(): void;
}

/** A step that closed; in the asynchronous modes, one push. */
export interface ClosedStep {
  readonly step: number;
  readonly loss: number;
  readonly examples: number;
  readonly staleness: number;
}

export interface ShardOptions {
  readonly range: Range;
  readonly spec: JobSpec;
  /** What works on vectors, and where those live that the shard needs beside `state`; the plain loops if not given. */
  readonly kernels?: VectorKernels;
  /** Allocated by the same kernels, to be fast. */
  readonly state: ShardState;
  readonly endStep: number;
  readonly trace?: Trace | undefined;
  /** The block sums of squares of all shards at `step`, in order, given those of this one. Tries until `signal` fires. */
  gatherSquares(step: number, own: Float64Array, signal: AbortSignal): Promise<Float64Array[]>;
  onStep(step: ClosedStep): void;
  /** An update was made whose noise was measured. */
  onNoise(step: number, noise: MeasuredNoise): void;
  onSnapshot(snapshot: Snapshot): void;
  onRejected(rejection: Rejection): void;
  log(level: 'info' | 'warning' | 'error', message: string): void;
}

export interface PushAnswer {
  readonly outcome: PushOutcome;
  readonly reason: string;
}

/** A sum over all ranks; `waiting`: some are missing. */
export type ReduceAnswer =
  | { readonly outcome: 'applied'; readonly total: Total }
  | { readonly outcome: 'waiting' | 'fenced'; readonly reason: string };

/** A version to read, held until it is released. */
export interface Reading {
  readonly ready: true;
  readonly version: number;
  readonly values: Float32Array;
  /** What makes it of the version before, where the job sends changes and there was one. */
  readonly change: { readonly chunks: Iterable<Chunk>; readonly length: number } | undefined;
  release(): void;
}

export type PullAnswer = Reading | { readonly ready: false };

/**
 * One range of the parameters: takes gradients, applies the optimizer, gives parameters. It knows nothing of calls and chunks, and no
 * method waits between reading a parameter and writing it.
 *
 * Synchronous mode: pushes are nodes of the reduction tree; when the last arrives the step closes, and the mean gradient is applied once. With clipping by
 * norm on several servers, closing takes one exchange with the other shards: until it is over the step stays complete but open.
 * Asynchronous modes: every push is one rank's mean gradient, applied as it comes.
 * (Above 400 lines, because all that may touch a shard's clocks and versions is here.)
 */
export class Shard {
  readonly range: Range;
  readonly #options: ShardOptions;
  readonly #spec: JobSpec;
  readonly #kernels: VectorKernels;
  readonly #staleness: number;
  readonly #update: ShardUpdate;
  readonly #encoding: JobEncoding;
  readonly #versions: ParameterVersions;
  /** What readers have, where they are sent changes. */
  readonly #published: PublishedParameters | undefined;
  readonly #late: LateGradients;
  readonly #slots: readonly Float32Array[];
  readonly #clocks: Uint32Array;
  readonly #tokens: Float64Array;
  readonly #tree: TreeSum;
  readonly #sums: ReduceSums;
  /** Block sums of squares by step: of the step that closes, and of the one before, for which a peer may still ask. */
  readonly #squares = new Map<number, Float64Array>();
  readonly #waiters = new Waiters();
  readonly #closed = new AbortController();
  /** Why nothing goes on here, if so: the job failed, or the shard is given up. */
  #refusal: TributaryError | undefined;
  #updates: number;
  #endStep: number;
  /** Where gradients, sums and versions get their vectors. */
  readonly #pool: VectorPool;
  /** A codec leaves in its source what it lost, so it works on a copy. */
  #scratch: Float32Array | undefined;

  constructor(options: ShardOptions) {
    const { range, spec, state, kernels = plainKernels } = options;
    this.range = range;
    this.#options = options;
    this.#spec = spec;
    this.#kernels = kernels;
    this.#staleness = stalenessBound(spec.staleness);
    this.#update = new ShardUpdate(spec, range, kernels, state.numbers);
    this.#encoding = new JobEncoding(spec);
    this.#slots = state.slots;
    this.#updates = state.updates;
    this.#clocks = Uint32Array.from(state.clocks);
    this.#tokens = new Float64Array(spec.ranks);
    this.#pool = new VectorPool(() => kernels.allocate(this.length));
    const free = (vector: Float32Array) => this.#pool.give(vector);
    this.#tree = new TreeSum(spec.ranks, this.length, { add: kernels.add, free });
    this.#sums = new ReduceSums(spec.ranks);
    this.#endStep = options.endStep;
    this.#versions = new ParameterVersions(state.parameters, this.#versionNumber(), free);
    this.#published =
      spec.pullEncoding?.name === 'delta'
        ? new PublishedParameters(spec, range, kernels, state.parameters, this.clock)
        : undefined;
    this.#late = new LateGradients(spec, this.#versions);
  }

  get trace(): Trace | undefined {
    return this.#options.trace;
  }

  get length(): number {
    return this.range.end - this.range.begin;
  }

  /** Updates in the newest parameters, or in the synchronous mode the steps. */
  get version(): number {
    return this.#versions.current.number;
  }

  /** What a push of this step brings, counted from the begin of the shard: all but what is frozen. */
  live(step: number): Range[] {
    return this.#update.live(step);
  }

  /** What updates may have changed since the shard was loaded, counted from its begin: what is frozen stays so until its step. */
  get changed(): Range[] {
    return this.#update.live(Math.max(0, fastest(this.#clocks) - 1));
  }

  /** Steps that all ranks have completed. */
  get clock(): number {
    return slowest(this.#clocks);
  }

  get clocks(): number[] {
    return Array.from(this.#clocks);
  }

  get endStep(): number {
    return this.#endStep;
  }

  /** What would become of this push now; see judgePush. Throws what the whole shard is refused with, too. */
  judge(push: PushFacts): PushJudgement {
    if (this.#refusal !== undefined) throw this.#refusal;
    return judgePush(push, this.#pushState());
  }

  /** Why this contribution is fenced, if it is. Throws as judgeReduce, and what the whole shard is refused with. */
  judgeReduce(facts: ReduceFacts): string | undefined {
    if (this.#refusal !== undefined) throw this.#refusal;
    return judgeReduce(facts, this.#pushState());
  }

  /** Adds to a sum over the ranks, to which `values` belongs from then on, and waits until all are in. Throws as `judgeReduce` and ReduceSums. */
  async reduce(
    facts: ReduceFacts,
    values: Float32Array,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<ReduceAnswer> {
    const fenced = this.judgeReduce(facts);
    if (fenced !== undefined) return { outcome: 'fenced', reason: fenced };
    this.#tokens.set(facts.tokens, facts.rankBegin);
    if (this.#sums.add(facts, values) === 'complete') this.#waiters.wake();
    const look = () => {
      if (this.#refusal !== undefined) throw this.#refusal;
      return this.#sums.total(facts.step, facts.round);
    };
    const total = await this.#waiters.wait(look, waitMs, signal);
    return total === undefined ? { outcome: 'waiting', reason: '' } : { outcome: 'applied', total };
  }

  /** Refuses at once what `push` would refuse; else returns a vector for the gradient, to be given to `push` or back. Undefined if there is none to come. */
  begin(push: PushFacts): Float32Array | undefined {
    const { outcome } = this.judge(push);
    // Its sender has pulled this step from every shard. So all are past the step before, and nobody has to compute that again.
    if (outcome === 'accept' && this.#staleness === 0) {
      this.#versions.forgetPrevious();
      this.#published?.forgetPrevious();
    }
    return push.weight > 0 ? this.#pool.take() : undefined;
  }

  giveVector(vector: Float32Array): void {
    this.#pool.give(vector);
  }

  allFinite(values: Float32Array): boolean {
    return this.#kernels.allFinite(values);
  }

  /** What so many bytes of an encoded push are that begin at this element of the shard; undefined if they are no chunk. */
  encodedPart(
    step: number,
    offset: number,
    bytes: number,
  ): { readonly codec: Codec; readonly elements: number } | undefined {
    const part = this.#encoding.at(step).part(this.range.begin + offset, bytes);
    return part && { codec: part.codec, elements: part.end - part.begin };
  }

  /** Decodes into a part of a buffer of this shard's. False if the bytes are malformed. */
  decode(codec: Codec, bytes: Uint8Array, values: Float32Array): boolean {
    return this.#kernels.decode(codec, bytes, values);
  }

  /** Encodes a part of a version, of one chunk at most. */
  encode(codec: Codec, values: Float32Array): Uint8Array {
    this.#scratch ??= this.#kernels.allocate(limits.chunkBytes / 4);
    const copy = this.#scratch.subarray(0, values.length);
    copy.set(values);
    const bytes = new Uint8Array(encodedBytes(codec, values.length));
    this.#kernels.encode(codec, copy, bytes);
    return bytes;
  }

  /**
   * Applies or keeps a gradient (undefined: the ranks skip the step). If the outcome is `applied` or `waiting`, its vector is the shard's from then on. `allFinite`:
   * it was looked through already. Throws as `judge`.
   */
  push(push: PushFacts, gradient: Float32Array | undefined, allFinite = false): PushAnswer {
    const judgement = this.judge(push);
    if (judgement.outcome !== 'fenced') this.#tokens.set(push.tokens, push.rankBegin);
    // A gradient that comes too late is dropped, and the rank goes on; or it would be late forever.
    if (judgement.outcome === 'stale') this.#complete(push.rankBegin, push.step);
    if (judgement.outcome !== 'accept') return judgement;
    const broken = findBroken(push, allFinite ? undefined : gradient, this.#spec.layout, this.range.begin);
    if (broken !== undefined) {
      this.#options.onRejected(broken);
      return { outcome: 'rejected', reason: broken.reason };
    }
    return {
      outcome: this.#staleness === 0 ? this.#keep(push, gradient) : this.#apply(push, gradient),
      reason: '',
    };
  }

  /** Can readers ask for changes? */
  get publishesChanges(): boolean {
    return this.#published !== undefined;
  }

  /** Waits until a version may be read. */
  async pull(facts: PullFacts, waitMs: number, signal: AbortSignal): Promise<PullAnswer> {
    const look = (): PullAnswer | undefined => {
      if (this.#refusal !== undefined) throw this.#refusal;
      const { clock, endStep } = this;
      const judgement = judgePull(facts, { clock, endStep, staleness: this.#staleness });
      if (judgement === 'wait') return undefined;
      if (judgement === 'ended') return { ready: false };
      return this.#read(judgement, facts.latest ? undefined : this.#published);
    };
    return (await this.#waiters.wait(look, waitMs, signal)) ?? { ready: false };
  }

  #read(which: 'current' | 'previous', published: PublishedParameters | undefined): Reading {
    const versions = published ?? this.#versions;
    const version = versions[which];
    if (version === undefined) {
      throw new TributaryError(
        'FAILED_PRECONDITION',
        `the parameters of step ${this.clock - 1} are gone; the shard is at step ${this.clock}`,
        { hint: 'Every rank has completed that step, or the shard was loaded after it.' },
      );
    }
    versions.hold(version);
    return {
      ready: true,
      version: version.number,
      values: published?.values(version) ?? version.values,
      change: published?.change(version),
      release: () => versions.release(version),
    };
  }

  /** A copy of the average of the parameters, if the optimizer keeps one. */
  average(): Float32Array | undefined {
    return this.#update.average(this.#slots)?.slice();
  }

  /** The block sums of squares of the mean gradient of `step`, once its sum is complete; undefined if that takes longer than `waitMs`. */
  blockSquares(step: number, waitMs: number, signal: AbortSignal): Promise<Float64Array | undefined> {
    const look = () => {
      if (this.#refusal !== undefined) throw this.#refusal;
      const squares = this.#squares.get(step);
      if (squares === undefined && step < this.clock) {
        throw new TributaryError(
          'FAILED_PRECONDITION',
          `the sums of squares of step ${step} are gone; the shard is at step ${this.clock}`,
        );
      }
      return squares;
    };
    return this.#waiters.wait(look, waitMs, signal);
  }

  /**
   * Sets the step at which every rank stops, as near to `step` as can be, and returns it. The next step of the fastest rank may have been
   * begun, so it is completed; unless the end is reached, for then nobody began anything.
   */
  endAt(step: number): number {
    const soonest = this.clock >= this.#endStep ? this.#endStep : fastest(this.#clocks) + 1;
    this.#endStep = Math.min(this.#spec.steps, Math.max(step, soonest));
    this.#waiters.wake();
    return this.#endStep;
  }

  /** From now on every call is refused with `reason`, also those that wait. The parameters stay as they are. */
  close(reason: TributaryError): void {
    this.#refusal ??= reason;
    this.#closed.abort();
    this.#waiters.wake();
  }

  #pushState(): PushState {
    return {
      staleness: this.#staleness,
      endStep: this.#endStep,
      encoding: this.#encoding.name,
      clocks: this.#clocks,
      tokens: this.#tokens,
    };
  }

  /** Synchronous: one more node of the tree. */
  #keep(
    { rankBegin, rankEnd, step, weight, loss, squares }: PushFacts,
    gradient: Float32Array | undefined,
  ): PushOutcome {
    const node = { begin: rankBegin, end: rankEnd };
    const end = this.trace?.begin('update', 'tree sum', { rankBegin, rankEnd, step });
    const outcome = this.#tree.add(
      node,
      gradient ?? new Float32Array(0),
      gradient === undefined ? 0 : weight,
      loss,
      squares,
    );
    end?.();
    if (outcome === 'duplicate') return 'duplicate';
    if (outcome === 'complete') this.#closeStep(step);
    return this.clock > step ? 'applied' : 'waiting';
  }

  #closeStep(step: number): void {
    const total = this.#tree.total();
    const accumulated = this.#update.accumulated(this.#slots);
    const batch = this.#update.batch.add(step, total, accumulated, () => this.#pool.take());
    if (batch === undefined) {
      this.#finishStep(step, undefined, []);
      return;
    }
    const { values, weight } = batch;
    const { value, norm } = this.#spec.clipping;
    const isGradient = this.#spec.method === undefined;
    if (values !== undefined && isGradient && weight !== 1) this.#kernels.divide(values, weight);
    const squares = () => this.#update.blockSquares(values ?? new Float32Array(this.length));
    const quantities = this.#update.batch.measures ? [squares()] : [];
    if (values !== undefined && value !== undefined) this.#kernels.clip(values, value);
    if (norm !== undefined) quantities.push(squares());
    quantities.push(...this.#update.sums(this.#slots));
    if (quantities.length === 0) {
      this.#finishStep(step, values, []);
      return;
    }
    const own = Float64Array.from(quantities.flatMap((blocks) => [...blocks]));
    const [eldest] = this.#squares.keys();
    if (this.#squares.size > 1) this.#squares.delete(eldest);
    this.#squares.set(step, own);
    this.#waiters.wake();
    if (this.length === this.#spec.layout.length) this.#finishStep(step, values, [own]);
    else void this.#finishWithPeers(step, values, own);
  }

  /** Norms and other sums are those of the whole model, so every shard needs the blocks of all, and adds them in the same order. */
  async #finishWithPeers(step: number, gradient: Float32Array | undefined, own: Float64Array): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        const blocks = await this.#options.gatherSquares(step, own, signal);
        if (!signal.aborted) this.#finishStep(step, gradient, blocks);
        return;
      } catch (error) {
        if (!(error instanceof TributaryError)) throw error;
        if (signal.aborted) return;
        this.#options.log('warning', `step ${step} cannot be closed yet: ${error.line}`);
        await sleep(limits.retryBackoffMsMax, undefined, { signal }).catch(() => {});
      }
    }
  }

  /**
   * With the mean gradient of a batch; without one, the batch goes on, or all skipped it. `blocks` of all shards: the squares by which noise is measured, those by which the job clips, and then
   * what the optimizer needs, quantity by quantity; none if the batch goes on.
   */
  #finishStep(step: number, gradient: Float32Array | undefined, blocks: readonly Float64Array[]): void {
    const { values, weight, loss } = this.#tree.take();
    // It is in the sum of the batch.
    if (values !== undefined && values !== gradient) this.#pool.give(values);
    invariant(step === this.clock, 'steps close in order');
    const { norm } = this.#spec.clipping;
    const { batch, sumCount: sums } = this.#update;
    const count = sums + (norm === undefined ? 0 : 1) + (batch.measures ? 1 : 0);
    const quantity = (index: number) =>
      blocks.map((all) => all.subarray((all.length / count) * index, (all.length / count) * (index + 1)));
    const scale = norm === undefined ? 1 : clipScale(normOfBlocks(quantity(count - sums - 1)), norm);
    if (sums > 0 && blocks.length > 0) {
      this.#update.learn(
        Array.from({ length: sums }, (_, index) => sumOfBlocks(quantity(count - sums + index))),
      );
    }
    if (gradient !== undefined && scale !== 1) this.#kernels.scale(gradient, gradient, scale);
    this.#clocks.fill(step + 1);
    this.#advance(gradient, step, batch.rateFactor);
    const noise = batch.measures && blocks.length > 0 ? batch.close(sumOfBlocks(quantity(0))) : undefined;
    if (noise !== undefined) this.#options.onNoise(step, noise);
    this.#update.observe(loss, weight);
    if (weight > 0) this.#options.onStep({ step, loss: loss / weight, examples: weight, staleness: 0 });
    this.#afterAdvance(step);
  }

  /** Asynchronous: applied as it comes. */
  #apply(
    { rankBegin: rank, step, weight, loss, squares, version }: PushFacts,
    gradient: Float32Array | undefined,
  ): PushOutcome {
    const { value, norm } = this.#spec.clipping;
    const staleness = fastest(this.#clocks) - step;
    if (gradient !== undefined) {
      if (weight !== 1) this.#kernels.divide(gradient, weight);
      if (value !== undefined) this.#kernels.clip(gradient, value);
      // The sender knows the norm before clipping by value: with both bounds it is one from above.
      const scale = norm === undefined ? 1 : clipScale(Math.sqrt(squares / weight), norm);
      if (scale !== 1) this.#kernels.scale(gradient, gradient, scale);
      if (this.#late.corrects(version)) {
        const end = this.trace?.begin('update', 'correct', { rank, step });
        this.#late.correct(gradient, version);
        end?.();
      }
      const rateFactor = this.#late.rateFactor(version);
      this.#late.keepCurrent();
      this.#advance(gradient, step, rateFactor);
      // Whoever asks in these modes gets the newest.
      this.#versions.forgetPrevious();
      this.#options.onStep({ step, loss: loss / weight, examples: weight, staleness });
    }
    this.#complete(rank, step);
    return 'applied';
  }

  #complete(rank: number, step: number): void {
    const before = this.clock;
    this.#clocks[rank] = step + 1;
    this.#afterAdvance(before);
  }

  /** Makes the next version, out of the vector of the gradient; undefined: the same parameters once more. */
  #advance(gradient: Float32Array | undefined, step: number, rateFactor = 1): void {
    const current = this.#versions.current.values;
    const elementwise = gradient !== undefined && !this.#update.wholeTensors;
    const out = elementwise ? gradient : this.#pool.take();
    const end = this.trace?.begin('update', 'apply', { step });
    if (gradient === undefined) out.set(current);
    else {
      const updates = ++this.#updates;
      this.#update.apply(out, current, gradient, this.#slots, { step, updates, rateFactor });
      if (!elementwise) this.#pool.give(gradient);
    }
    this.#versions.advance(this.#versionNumber(), out);
    this.#published?.advance(step, out);
    end?.();
  }

  #afterAdvance(clockBefore: number): void {
    const { clock } = this;
    const every = this.#spec.checkpointEverySteps;
    if (clock > clockBefore && ((every > 0 && clock % every === 0) || clock === this.#endStep)) {
      this.#options.onSnapshot(this.#snapshot(clock));
    }
    this.#waiters.wake();
  }

  #snapshot(step: number): Snapshot {
    const version = this.#versions.hold(this.#versions.current);
    const state = {
      parameters: version.values,
      slots: this.#slots.map((slot) => slot.slice()),
      numbers: this.#update.numbers,
      updates: this.#updates,
      clocks: this.clocks,
    };
    return { step, state, release: () => this.#versions.release(version) };
  }

  #versionNumber(): number {
    return this.#staleness === 0 ? this.clock : this.#updates;
  }
}

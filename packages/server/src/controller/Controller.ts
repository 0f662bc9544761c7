import { setTimeout as sleep } from 'node:timers/promises';
import { type CheckpointPart, ParameterClient } from '@tributary/client/ParameterClient.ts';
import type { TransportChoice } from '@tributary/client/transport/transport.ts';
import type {
  CheckpointManifest,
  Coordinator,
  JobRecord,
  JobState,
  Lease,
  MetricEntry,
  Placement,
} from '@tributary/coordinator/Coordinator.ts';
import { newestValidCheckpoint } from '@tributary/coordinator/checkpoints/newestValidCheckpoint.ts';
import { Heartbeat } from '@tributary/coordinator/Heartbeat.ts';
import { readAllMetrics } from '@tributary/coordinator/readAllMetrics.ts';
import { checkpointId } from '@tributary/core/checkpoint-format/checkpointId.ts';
import { slotPrefix } from '@tributary/core/checkpoint-format/sections.ts';
import { fastest } from '@tributary/core/consistency/clocks.ts';
import { invariant } from '@tributary/core/errors/invariant.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { jobHash } from '@tributary/core/job/jobHash.ts';
import { firstDifference } from '@tributary/core/layout/firstDifference.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { shardRanges } from '@tributary/core/optimizer/shardRanges.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import { readHeader } from '../checkpoint/readHeader.ts';
import { CheckpointWriter } from './CheckpointWriter.ts';
import { decidePlacement } from './decidePlacement.ts';
import { nextCheckpointStep } from './nextCheckpointStep.ts';

export interface ControllerOptions {
  readonly coordinator: Coordinator;
  /** This process among the members; also the holder of the controller's lease. */
  readonly memberId: string;
  readonly spec: JobSpec;
  /** The parameters at step 0, float32, of the spec's layout. Not asked for if the job has a checkpoint. */
  readonly initialParameters: () => Promise<Float32Array>;
  /** `new`: the job must not exist. `resume`: it must, and goes on from its newest checkpoint. `join`: create it, or take over a running one. */
  readonly start: 'new' | 'resume' | 'join';
  /** How many processes to wait for before anything is placed. */
  readonly servers: number;
  readonly workers: number;
  readonly leaseMs: number;
  /** To the servers. Default: auto. */
  readonly transport?: TransportChoice;
  /** Aborted: end the job soon, with a checkpoint. */
  readonly stop: AbortSignal;
  /** Aborted: leave the job as it is, and throw the reason. */
  readonly giveUp?: AbortSignal;
  readonly log: (level: 'info' | 'warning' | 'error', message: string) => void;
  readonly onMetric?: (entry: MetricEntry) => void;
  /** The job's record is written: from now on workers and servers find it. */
  readonly onOpened?: () => void;
  /** Shards and ranks are placed: training begins. */
  readonly onPlaced?: () => void;
}

export interface ControllerResult {
  readonly state: Exclude<JobState, 'running'>;
  /** The newest checkpoint: of the end, unless the job failed. */
  readonly checkpoint: CheckpointManifest;
  readonly error: string;
  /** Up to where metrics were handed on: servers that stop later write their last ones after it. */
  readonly metricsCursor: string;
}

/**
 * The elected process that places shards and ranks, watches who is alive, commits checkpoints and ends the job.
 *
 * It is one loop that looks and acts, some ten times a second; nothing in the data plane waits for it. All that it decides is written
 * with its fencing token, so that of two controllers only the later one is heard. Everything it knows can be read again from the
 * coordinator and the servers: killed and started anew (`join`), it goes on.
 */
export async function runController(options: ControllerOptions): Promise<ControllerResult> {
  // While nobody can announce itself, nobody's silence says anything; nor before each has had the time to do it again.
  let silenceCountsFromMs = 0;
  const heartbeat = new Heartbeat({
    coordinator: options.coordinator,
    member: { id: options.memberId, role: 'controller', address: '', startedAtMs: Date.now() },
    ttlMs: options.leaseMs,
    onUnavailable: (error) => {
      silenceCountsFromMs = Number.POSITIVE_INFINITY;
      options.log('warning', `the coordinator cannot be reached, going on without it: ${error.message}`);
    },
    onRecovered: () => {
      silenceCountsFromMs = performance.now() + options.leaseMs + limits.coordinatorReplyMs;
      options.log('info', 'the coordinator is back');
    },
    onLost: () => {},
  });
  await heartbeat.start();
  const silenceCounts = () => performance.now() >= silenceCountsFromMs;
  const controller = new Controller(options, await electSelf(options, heartbeat), silenceCounts);
  try {
    return await controller.run();
  } finally {
    await controller.close();
    await heartbeat.stop();
  }
}

async function electSelf(options: ControllerOptions, heartbeat: Heartbeat): Promise<Lease> {
  for (let told = false; ; told = true) {
    const lease = await options.coordinator.acquireLease('controller', options.memberId, options.leaseMs);
    if (lease !== undefined) {
      heartbeat.add(lease);
      return lease;
    }
    if (!told) options.log('info', 'another controller is at work; standing by');
    if (options.stop.aborted)
      throw new TributaryError('CANCELLED', 'stopped while another controller was at work');
    await sleep(limits.placementPollMs);
  }
}

/** The loop itself. (Above 400 lines, because all that is written with the controller's fencing token is decided here, in one order.) */
class Controller {
  readonly #options: ControllerOptions;
  readonly #coordinator: Coordinator;
  readonly #spec: JobSpec;
  readonly #hash: string;
  readonly #fence: Lease;
  readonly #writer: CheckpointWriter;

  #ranges: readonly Range[];
  /** What this controller placed, or found placed on taking over; undefined until then. */
  #placement: Placement | undefined;
  /** Epoch and generation go on from the placement of an earlier run. */
  #lastEpoch = 0;
  #lastGeneration = 0;
  #checkpoint!: CheckpointManifest;
  /** Checkpoints up to here are taken, or were given up because writing failed. */
  #settledStep = 0;
  #endStep: number;
  #metricsCursor = '';
  #client: ParameterClient | undefined;
  #waitingFor = '';
  /** When stopping began, in ms of the monotonic clock; undefined while the job is to go on. */
  #stoppingSinceMs: number | undefined;
  /** All servers know the nearer end. */
  #endBrought = false;
  /** Since when no look succeeded, in ms of the monotonic clock; and whether that was said. */
  #troubleSinceMs: number | undefined;
  #troubleTold = false;
  /** Whether a process that is no member is gone. */
  readonly #silenceCounts: () => boolean;

  constructor(options: ControllerOptions, fence: Lease, silenceCounts: () => boolean) {
    this.#options = options;
    this.#silenceCounts = silenceCounts;
    this.#coordinator = options.coordinator;
    this.#spec = options.spec;
    this.#hash = jobHash(options.spec);
    this.#fence = fence;
    this.#writer = new CheckpointWriter(options.coordinator, options.spec, this.#hash, fence);
    this.#ranges = shardRanges(options.spec, options.servers);
    this.#endStep = options.spec.steps;
  }

  async run(): Promise<ControllerResult> {
    await this.#openJob();
    this.#options.onOpened?.();
    for (;;) {
      this.#options.giveUp?.throwIfAborted();
      const result = await this.#tick().catch((error: unknown) => this.#tolerate(error));
      if (result !== undefined) return result;
      await sleep(limits.placementPollMs);
    }
  }

  async close(): Promise<void> {
    await this.#client?.close();
  }

  /** One look at everything. Returns the result once the job has ended. */
  async #tick(): Promise<ControllerResult | undefined> {
    await this.#place();
    const result = await this.#advance();
    await this.#relayMetrics();
    this.#troubleSinceMs = undefined;
    this.#troubleTold = false;
    return result;
  }

  /** A server or the coordinator that is away comes back or is replaced; anything else ends the controller. */
  #tolerate(error: unknown): undefined {
    const passing =
      error instanceof TributaryError && ['UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(error.code);
    // A server that has not yet seen the newest placement refuses its generation.
    const behind = error instanceof TributaryError && error.code === 'FAILED_PRECONDITION';
    if (!passing && !behind) throw error;
    const now = performance.now();
    this.#troubleSinceMs ??= now;
    if (!this.#troubleTold && now - this.#troubleSinceMs > limits.troubleMs) {
      this.#troubleTold = true;
      this.#options.log('warning', error.message);
    }
    return undefined;
  }

  async #openJob(): Promise<void> {
    const record: JobRecord = {
      spec: this.#spec,
      hash: this.#hash,
      state: 'running',
      endStep: this.#spec.steps,
      error: '',
      createdAtMs: Date.now(),
    };
    const found = await this.#coordinator.jobRecord();
    const job = `job "${this.#coordinator.job}"`;
    let newest: CheckpointManifest | undefined;
    if (found === undefined) {
      if (this.#options.start === 'resume') {
        throw new TributaryError('NOT_FOUND', `${job} is not known at ${this.#coordinator.url}`, {
          hint: 'Without --resume it is started anew.',
        });
      }
      // They may start from others that do not fit: then no job is made.
      await this.#options.initialParameters();
      await this.#coordinator.createJob(record);
    } else if (this.#options.start === 'new') {
      throw new TributaryError(
        'ALREADY_EXISTS',
        `${job} exists already at ${this.#coordinator.url} (${found.state})`,
        {
          hint: 'Go on with it by --resume, or choose another name by --job.',
        },
      );
    } else if (this.#options.start === 'resume') {
      // Before anything is changed: it may not fit.
      newest = await this.#newestCheckpoint();
      await this.#coordinator.replaceJob(record, this.#fence);
    } else if (found.state !== 'running' || found.hash !== this.#hash) {
      throw new TributaryError(
        'FAILED_PRECONDITION',
        found.state === 'running'
          ? `${job} runs with other settings than this job file`
          : `${job} has ended (${found.state})`,
        {
          hint:
            found.state === 'running'
              ? 'Use the same file and flags to take it over, or choose another name by --job.'
              : 'Go on with it by --resume, or choose another name by --job.',
        },
      );
    } else {
      this.#endStep = found.endStep;
    }

    const placed = await this.#coordinator.placement();
    this.#lastEpoch = placed?.epoch ?? 0;
    this.#lastGeneration = placed?.generation ?? 0;
    if (placed !== undefined && this.#options.start === 'join') {
      this.#placement = placed;
      this.#ranges = placed.shards;
      this.#connect(placed);
    }
    this.#checkpoint = newest ?? (await this.#newestCheckpoint());
    this.#settledStep = this.#checkpoint.step;
    this.#metricsCursor = await readAllMetrics(this.#coordinator, '', () => {});
  }

  async #newestCheckpoint(): Promise<CheckpointManifest> {
    const found = await newestValidCheckpoint(this.#coordinator.checkpoints, {
      onCorrupt: (manifest, reason) =>
        this.#options.log(
          'warning',
          `checkpoint ${manifest.id} is damaged (${reason}), passed over for the one before`,
        ),
    });
    if (found === undefined) {
      return this.#writer.writeInitial(await this.#options.initialParameters(), Date.now());
    }
    const { tensors } = await readHeader(this.#coordinator.checkpoints, found);
    const held = createLayout(tensors.filter(({ name }) => !name.startsWith(slotPrefix)));
    const difference = firstDifference(held, this.#spec.layout);
    if (difference !== undefined) {
      throw new TributaryError(
        'FAILED_PRECONDITION',
        `checkpoint ${found.id} is of another model: its parameter ${difference.index} is ${difference.found}, that of the job ${difference.expected}`,
        { hint: 'Resume with the model that was trained, or begin anew with --start-from.' },
      );
    }
    const ranks = found.shards[0]?.clocks.length;
    if (ranks !== this.#spec.ranks) {
      throw new TributaryError(
        'FAILED_PRECONDITION',
        `checkpoint ${found.id} is of a job with ${ranks} ranks, this one has ${this.#spec.ranks}`,
        { hint: 'A job keeps its number of ranks: resume without --ranks.' },
      );
    }
    return found;
  }

  /** Looks who is there, and writes a new placement if that changes anything. */
  async #place(): Promise<void> {
    const members = await this.#coordinator.members();
    if (!this.#silenceCounts()) return;
    const decision = decidePlacement({
      members,
      current: this.#placement,
      ranges: this.#ranges,
      ranks: this.#spec.ranks,
      serversWanted: this.#options.servers,
      workersWanted: this.#options.workers,
    });
    const waitingFor = decision.kind === 'wait' ? decision.for : '';
    if (waitingFor !== this.#waitingFor && waitingFor !== '')
      this.#options.log('info', `waiting for ${waitingFor}`);
    this.#waitingFor = waitingFor;
    if (decision.kind === 'restore') {
      if (this.#placement !== undefined) {
        this.#checkpoint = await this.#newestCheckpoint();
        this.#options.log(
          'warning',
          `a server is gone; its shards are loaded anew from step ${this.#checkpoint.step}`,
        );
      }
      await this.#write({
        epoch: this.#lastEpoch + 1,
        generation: this.#lastGeneration + 1,
        checkpoint: this.#checkpoint.id,
        shards: decision.shards,
        ranks: decision.ranks,
      });
    } else if (decision.kind === 'ranks') {
      invariant(this.#placement !== undefined, 'ranks move only within a placement');
      await this.#write({ ...this.#placement, epoch: this.#lastEpoch + 1, ranks: decision.ranks });
    }
  }

  async #write(placement: Placement): Promise<void> {
    const outcome = await this.#coordinator.replacePlacement(placement, this.#lastEpoch, this.#fence);
    if (outcome !== 'written')
      throw new TributaryError('ABORTED', 'another controller has taken over this job');
    const restored = placement.generation !== this.#lastGeneration;
    this.#placement = placement;
    this.#lastEpoch = placement.epoch;
    this.#lastGeneration = placement.generation;
    if (restored) {
      this.#settledStep = this.#checkpoint.step;
      this.#connect(placement);
      this.#options.onPlaced?.();
    }
  }

  #connect(placement: Placement): void {
    void this.#client?.close();
    this.#client = new ParameterClient({
      jobHash: this.#hash,
      generation: placement.generation,
      shards: placement.shards,
      transport: this.#options.transport ?? 'auto',
      retryTotalMs: 0,
    });
  }

  /** Follows the servers: failure, the checkpoint that is due, the end. */
  async #advance(): Promise<ControllerResult | undefined> {
    const client = this.#client;
    if (this.#options.stop.aborted) {
      const given = await this.#stop();
      if (given !== undefined) return given;
    }
    if (client === undefined) return undefined;

    const servers = await client.describe();
    const failure = servers.find((server) => server.failure !== '')?.failure;
    if (failure !== undefined) return this.#end('failed', failure);
    await this.#followEnd(Math.max(...servers.map((server) => server.endStep)));

    const due = nextCheckpointStep(this.#settledStep, this.#spec.checkpointEverySteps, this.#endStep);
    if (due !== undefined) {
      const parts = await this.#partsOf(client, due);
      if (parts === undefined) return undefined;
      const error = await this.#takeCheckpoint(parts, due);
      if (error !== '' && due >= this.#endStep) return this.#end('failed', error);
      if (error !== '') this.#options.log('warning', error);
    }
    if (this.#settledStep < this.#endStep) return undefined;
    const early = this.#endStep < this.#spec.steps && this.#spec.passesMax === undefined;
    return this.#end(early || this.#stoppingSinceMs !== undefined ? 'stopped' : 'finished', '');
  }

  /** A method that has made its passes has brought the end near; from now on the job's record says so too. */
  async #followEnd(endStep: number): Promise<void> {
    if (endStep >= this.#endStep || this.#spec.passesMax === undefined) return;
    await this.#coordinator.updateJob({ endStep }, this.#fence);
    this.#endStep = endStep;
  }

  /** What the shards wrote for `step`; undefined while one of them is not that far. */
  async #partsOf(client: ParameterClient, step: number): Promise<CheckpointPart[] | undefined> {
    invariant(this.#placement !== undefined, 'a checkpoint is of placed shards');
    const parts = await Promise.all(
      this.#placement.shards.map((_, shard) => client.checkpointPart(shard, step, 0)),
    );
    return parts.every((part) => part.ready) ? parts : undefined;
  }

  /** Commits the checkpoint of `step`. Returns why it could not be written, or ''; training goes on either way. */
  async #takeCheckpoint(parts: readonly CheckpointPart[], step: number): Promise<string> {
    invariant(this.#placement !== undefined, 'a checkpoint is of placed shards');
    const { generation, shards } = this.#placement;
    let error = parts.find((part) => part.error !== '')?.error ?? '';
    if (error === '') {
      try {
        this.#checkpoint = await this.#writer.commitParts(
          checkpointId(generation, step),
          step,
          shards,
          parts,
          Date.now(),
        );
      } catch (cause) {
        error = lackOfSpace(cause).line;
      }
    }
    this.#settledStep = step;
    if (error !== '')
      return `checkpoint at step ${step} could not be written, the one of step ${this.#checkpoint.step} stands: ${error}`;
    try {
      await this.#coordinator.checkpoints.retain(this.#spec.checkpointsKept, this.#comingCheckpoints(step));
    } catch (cause) {
      this.#options.log('warning', `old checkpoints could not be removed: ${lackOfSpace(cause).message}`);
    }
    return '';
  }

  /** The checkpoints after that of `step`: servers may be writing any of the next ones by now. */
  #comingCheckpoints(step: number): string[] {
    const { generation } = this.#placement!;
    const coming: string[] = [];
    for (let due: number | undefined = step; coming.length < limits.checkpointsComing; ) {
      due = nextCheckpointStep(due, this.#spec.checkpointEverySteps, this.#endStep);
      if (due === undefined) break;
      coming.push(checkpointId(generation, due));
    }
    return coming;
  }

  /** Brings the end near: two steps ahead of the fastest rank, which every rank can still reach together. */
  async #stop(): Promise<ControllerResult | undefined> {
    if (this.#client === undefined) return this.#end('stopped', '');
    this.#stoppingSinceMs ??= performance.now();
    if (performance.now() - this.#stoppingSinceMs > limits.stopGraceMs) {
      const { step } = this.#checkpoint;
      this.#options.log(
        'warning',
        `the ranks did not end together in time; the checkpoint of step ${step} stands`,
      );
      return this.#end('stopped', '');
    }
    if (this.#endBrought) return undefined;
    const servers = await this.#client.describe();
    const clocks = servers.flatMap((server) => server.shards.map((shard) => fastest(shard.clocks)));
    const endStep = await this.#client.endAt(Math.min(this.#endStep, Math.max(...clocks) + 2));
    await this.#coordinator.updateJob({ endStep }, this.#fence);
    this.#endStep = endStep;
    this.#endBrought = true;
    return undefined;
  }

  async #end(state: ControllerResult['state'], error: string): Promise<ControllerResult> {
    await this.#coordinator.updateJob({ state, error }, this.#fence);
    await this.#relayMetrics();
    return { state, checkpoint: this.#checkpoint, error, metricsCursor: this.#metricsCursor };
  }

  async #relayMetrics(): Promise<void> {
    this.#metricsCursor = await readAllMetrics(this.#coordinator, this.#metricsCursor, (entry) =>
      this.#options.onMetric?.(entry),
    );
  }
}

/** The error, if it says that storage is full: the one that training survives. Throws any other. */
function lackOfSpace(error: unknown): TributaryError {
  if (error instanceof TributaryError && error.code === 'RESOURCE_EXHAUSTED') return error;
  throw error;
}

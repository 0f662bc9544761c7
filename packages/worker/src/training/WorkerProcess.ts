import { setTimeout as sleep } from 'node:timers/promises';
import {
  describeTransport,
  type TransportChoice,
  transportOf,
} from '@tributary/client/transport/transport.ts';
import type { Coordinator, JobRecord } from '@tributary/coordinator/Coordinator.ts';
import { Heartbeat } from '@tributary/coordinator/Heartbeat.ts';
import { MetricsQueue } from '@tributary/coordinator/MetricsQueue.ts';
import { JobEncoding } from '@tributary/core/codec/JobEncoding.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { createKernels } from '@tributary/core/kernels/createKernels.ts';
import { plainKernels } from '@tributary/core/kernels/plainKernels.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type { Trace } from '@tributary/core/trace/Trace.ts';
import type { ComputeChoice } from '../compute/openBackend.ts';
import { ErrorFeedback } from './ErrorFeedback.ts';
import { GradientThread } from './GradientThread.ts';
import { PulledParameters } from './PulledParameters.ts';
import { RankLeases } from './RankLeases.ts';
import { sharedFloats } from './sharedFloats.ts';
import { TrainingLoop } from './TrainingLoop.ts';
import { UsageReport } from './UsageReport.ts';

export interface WorkerOptions {
  readonly coordinator: Coordinator;
  readonly memberId: string;
  readonly jobFile: string;
  readonly compute: ComputeChoice;
  readonly computeThreads: number;
  readonly selfCheck: boolean;
  readonly transport: TransportChoice;
  /** Where an aggregator of this host listens, if there is one. */
  readonly aggregator?: string | undefined;
  readonly leaseMs: number;
  /** Aborted: give the ranks back, and leave. */
  readonly stop: AbortSignal;
  /** What takes how long, if anybody wants to know. */
  readonly trace?: Trace | undefined;
  readonly log: (level: 'info' | 'warning' | 'error', message: string) => void;
}

/**
 * A worker from joining to leaving: waits for the job, follows the placement, and lets the training loop run on the ranks that it holds. Returns
 * when the job has ended (if it failed, with the reason) or `stop` is aborted; throws if this worker cannot take part in it.
 */
export async function runWorker(options: WorkerOptions): Promise<string | undefined> {
  const { coordinator, memberId, leaseMs, trace, log } = options;
  const record = await waitForJob(options);
  if (record === undefined) return undefined;
  const { layout, encoding, pullEncoding } = record.spec;
  const kernels = createKernels();
  const feedback = encoding && new ErrorFeedback(new JobEncoding(record.spec), layout.length, kernels, trace);
  const workLength = feedback?.workLength ?? layout.length;
  // What is encoded lies where the kernels are fast. (The plain ones have no such place, and both threads must see it.)
  const isEncoded = encoding !== undefined || pullEncoding !== undefined;
  const floats = isEncoded && kernels !== plainKernels ? kernels.allocate : sharedFloats;
  const parameters = new PulledParameters(
    Array.from({ length: record.spec.pullAhead ? 2 : 1 }, () => floats(layout.length)),
  );
  const underWay = Math.floor(limits.gradientsUnderWayBytes / (4 * workLength));
  const gradients = Array.from({ length: Math.max(2, Math.min(underWay, record.spec.ranks)) }, () =>
    floats(workLength),
  );
  const { jobFile, compute, computeThreads, selfCheck } = options;
  const thread = await GradientThread.start(
    { ...{ jobFile, compute, computeThreads, selfCheck }, spec: record.spec },
    trace,
  );
  const { backend, note } = thread;
  if (note === '') log('info', `computing with the ${backend} backend`);
  else log('warning', `computing with the ${backend} backend: ${note}`);

  const heartbeat = new Heartbeat({
    coordinator,
    member: { id: memberId, role: 'worker', address: '', startedAtMs: Date.now() },
    ttlMs: leaseMs,
    onUnavailable: (error) =>
      log('warning', `the coordinator cannot be reached, going on without it: ${error.message}`),
    onRecovered: () => log('info', 'the coordinator is back'),
    onLost: (lease) => {
      log('warning', `the lease of ${lease.name} is lost`);
      leases.lose(lease.name);
    },
  });
  const leases = new RankLeases(coordinator, heartbeat, memberId, leaseMs);
  const metrics = new MetricsQueue(coordinator);
  const usage = new UsageReport(memberId, thread, metrics);
  const { transport, aggregator } = options;
  metrics.append({
    ...{ kind: 'compute', worker: memberId, backend, note },
    ...{ transport: transportOf(transport), timeMs: Date.now() },
  });
  log('info', `the servers are reached by ${describeTransport(transport)}`);
  const loop = new TrainingLoop({
    ...{ record, leases, thread, parameters, gradients, kernels, feedback },
    ...{ transport, aggregator, metrics, usage, trace, log },
  });
  await heartbeat.start();
  try {
    return await Promise.race([followPlacement(options, loop), loop.run().then(() => undefined)]);
  } finally {
    await loop.stop();
    await leases.giveBackAll().catch(() => {});
    usage.tellNow();
    await metrics.close();
    await heartbeat.stop();
    await thread.stop();
  }
}

/** The job's record once there is one; undefined if stopped before. */
async function waitForJob({ coordinator, stop, log }: WorkerOptions): Promise<JobRecord | undefined> {
  for (let told = false; !stop.aborted; told = true) {
    const record = await coordinator.jobRecord();
    if (record !== undefined) return record;
    if (!told) log('info', `waiting for the job "${coordinator.job}"`);
    await pause(stop);
  }
  return undefined;
}

/** Hands every placement to the loop, until the job has ended; if it failed, returns why. A coordinator that is away is asked again. */
async function followPlacement(
  { coordinator, stop }: WorkerOptions,
  loop: TrainingLoop,
): Promise<string | undefined> {
  while (!stop.aborted) {
    try {
      const record = await coordinator.jobRecord();
      if (record?.state === 'failed') return record.error;
      if (record?.state !== 'running') return undefined;
      const placement = await coordinator.placement();
      if (placement !== undefined) await loop.follow(placement);
    } catch (error) {
      if (!(error instanceof TributaryError) || error.code !== 'UNAVAILABLE') throw error;
    }
    await pause(stop);
  }
  return undefined;
}

async function pause(stop: AbortSignal): Promise<void> {
  await sleep(limits.placementPollMs, undefined, { signal: stop }).catch(() => {});
}

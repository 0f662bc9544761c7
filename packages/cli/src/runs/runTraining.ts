import type { NamedTransport } from '@tributary/client/transport/transport.ts';
import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { readAllMetrics } from '@tributary/coordinator/readAllMetrics.ts';
import { encodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { asTributaryError, TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { runController } from '@tributary/server/controller/Controller.ts';
import type { ComputeChoice } from '@tributary/worker/compute/openBackend.ts';
import { modelParameters } from '@tributary/worker/parameters/loadParameters.ts';
import { LocalCluster } from '../launcher/LocalCluster.ts';
import { memberId } from '../launcher/memberId.ts';
import { SocketFolder } from '../launcher/SocketFolder.ts';
import { evaluateParameters } from '../parameters/evaluateParameters.ts';
import { parameterHash } from '../parameters/parameterHash.ts';
import type { PreparedJob } from '../parameters/prepareJob.ts';
import { RunProgress } from '../progress/RunProgress.ts';
import { TraceParts } from '../trace/TraceParts.ts';
import { lossCurve } from './lossCurve.ts';
import type { RunConfig, RunFolder } from './RunFolder.ts';
import type { TrainSummary } from './TrainSummary.ts';

/** One training: what is trained, and where it is kept. */
export interface TrainingRun {
  readonly folder: RunFolder;
  readonly config: RunConfig;
  readonly prepared: PreparedJob;
}

/** The processes that train, as flags say them. */
export interface ClusterFlags {
  readonly servers: number;
  readonly workers: number;
  readonly leaseMs: number;
  readonly compute: ComputeChoice;
  readonly computeThreads: number;
  readonly selfCheck: boolean;
  readonly transport: NamedTransport;
  /** The file for a trace of all processes. */
  readonly trace?: string;
  readonly verbose?: boolean;
}

export interface TrainingOptions extends ClusterFlags {
  readonly resume?: boolean;
  /** Aborted: end soon, with a checkpoint. */
  readonly stop: AbortSignal;
  /** A line for the person who waits. */
  readonly line: (text: string) => void;
  readonly onMetric: (entry: MetricEntry, progress: RunProgress) => void;
  /** Shards and ranks are placed: training begins. */
  readonly onPlaced?: () => void;
}

export interface Trained {
  readonly summary: TrainSummary;
  /** The model's parameters at the end. */
  readonly flat: Float32Array;
}

/**
 * Trains on a cluster of local processes, from the first process to the last, and leaves a run folder with everything. Throws ABORTED if the job fails;
 * the folder then has what there was.
 */
export async function runTraining(run: TrainingRun, options: TrainingOptions): Promise<Trained> {
  const startedAtMs = performance.now();
  const { folder, config, prepared } = run;
  const { spec } = prepared;
  const { servers, workers, verbose, line } = options;
  const { startedFrom: origin } = config;
  const trace = options.trace === undefined ? undefined : new TraceParts(options.trace);
  const coordinator = await openCoordinator(config.coordinator, config.job);
  // Only now: a run whose coordinator cannot be reached leaves nothing behind.
  folder.begin(config);
  const sockets = options.transport === 'auto' ? SocketFolder.create() : undefined;
  const cluster = new LocalCluster({
    ...{ servers, workers },
    ...childArguments(run, options, (index) => sockets?.address(index) ?? '127.0.0.1:0'),
    traceOf: trace && ((process) => trace.part(process)),
    onLine: (source, text) => {
      if (verbose || !text.startsWith('info: ')) line(`${source}: ${text}`);
    },
  });
  const progress = new RunProgress(spec);
  let setupMs = 0;
  const keepMetric = metricKeeper(folder, line);
  const onMetric = (entry: MetricEntry) => {
    keepMetric(entry);
    progress.add(entry);
    options.onMetric(entry, progress);
  };
  try {
    const controller = runController({
      coordinator,
      memberId: memberId('controller'),
      spec,
      initialParameters: async () => (await prepared.begin()).parameters,
      start: options.resume ? 'resume' : 'new',
      ...{ servers, workers, leaseMs: options.leaseMs, transport: options.transport },
      ...{ stop: options.stop, onMetric },
      log: (level, message) => {
        if (verbose || level !== 'info') line(`controller: ${level}: ${message}`);
      },
      onOpened: () => cluster.start(),
      onPlaced: () => {
        setupMs ||= performance.now() - startedAtMs;
        progress.start(Date.now());
        options.onPlaced?.();
      },
    });
    controller.catch(() => {});
    const result = await Promise.race([controller, cluster.failed]);
    await cluster.stop();
    await readAllMetrics(coordinator, result.metricsCursor, onMetric);
    if (result.state === 'failed') throw new TributaryError('ABORTED', `the job failed: ${result.error}`);

    const { layout, flat } = await modelParameters(coordinator, result.checkpoint);
    const { job, shape } = prepared;
    const { loss, accuracy, on } = await evaluateParameters(job, shape, flat, options.compute);
    const steps = result.checkpoint.step;
    const summary: TrainSummary = {
      run: config.id,
      state: result.state,
      job: spec.name,
      ...(spec.options && { options: spec.options }),
      ...(origin && { startedFrom: origin }),
      seed: spec.seed,
      steps,
      epochs: steps / spec.stepsPerEpoch,
      passes: progress.passes,
      ranks: spec.ranks,
      batchSize: spec.batchSize,
      ...(progress.batch && { batch: progress.batch }),
      workers,
      servers,
      coordinator: coordinator.url,
      staleness: spec.staleness ?? 'infinity',
      optimizer: job.optimizer.name,
      hyperparameters: job.optimizer.hyperparameters,
      compute: progress.backends,
      transport: progress.transports,
      parameters: layout.length,
      loss,
      accuracy: accuracy ?? null,
      evaluatedOn: on,
      trainMs: Math.round(progress.trainMs),
      setupMs: Math.round(setupMs),
      samplesPerSecond: Math.round(progress.samplesPerSecond),
      encoding: [...new Set(spec.encoding?.map(({ codec }) => codec.name) ?? ['f32'])].join(' and '),
      pullEncoding: spec.pullEncoding?.name ?? 'f32',
      pushedBytes: progress.pushedBytes,
      pulledBytes: progress.pulledBytes,
      memoryBytes: progress.memoryBytes,
      checkpoint: folder.file('parameters.safetensors'),
      parametersSha256: parameterHash(flat),
    };
    const metadata = { job: spec.name, step: String(steps) };
    folder.write('parameters.safetensors', encodeSafetensors(layout, flat, metadata));
    folder.write('loss.svg', lossCurve(config.id, folder.metrics()));
    folder.writeJson('summary.json', summary);
    return { summary, flat };
  } finally {
    await cluster.stop();
    await trace?.merge();
    sockets?.remove();
    await coordinator.close();
  }
}

/** Metrics that cannot be kept are no reason to end a training; said once. */
function metricKeeper(folder: RunFolder, line: (text: string) => void): (entry: MetricEntry) => void {
  let kept = true;
  return (entry) => {
    try {
      folder.appendMetric(entry);
      kept = true;
    } catch (error) {
      if (kept) line(`warning: metrics are lost: ${asTributaryError(error).line}`);
      kept = false;
    }
  };
}

/** What the server and worker processes are started with. */
function childArguments(
  { config, prepared }: TrainingRun,
  given: ClusterFlags,
  bindOf: (server: number) => string,
) {
  const { coordinator, job } = config;
  const common = ['--job', job, '--lease-ms', String(given.leaseMs), '--transport', given.transport];
  const compute = ['--compute', given.compute, '--compute-threads', String(given.computeThreads)];
  return {
    coordinator,
    serverArguments: (index: number) => [...common, '--bind', bindOf(index)],
    workerArguments: [prepared.file, ...common, ...compute, ...(given.selfCheck ? [] : ['--no-self-check'])],
  };
}

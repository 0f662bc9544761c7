import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { readAllMetrics } from '@tributary/coordinator/readAllMetrics.ts';
import { encodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { asTributaryError, TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { runController } from '@tributary/server/controller/Controller.ts';
import { modelParameters } from '@tributary/worker/parameters/loadParameters.ts';
import type { LocalCluster } from '../launcher/LocalCluster.ts';
import { memberId } from '../launcher/memberId.ts';
import { evaluateParameters } from '../parameters/evaluateParameters.ts';
import { parameterHash } from '../parameters/parameterHash.ts';
import type { PreparedJob } from '../parameters/prepareJob.ts';
import { RunProgress } from '../progress/RunProgress.ts';
import { lossCurve } from './lossCurve.ts';
import type { RunConfig, RunFolder } from './RunFolder.ts';
import type { TrainSummary } from './TrainSummary.ts';

/** One training: what is trained, and where it is kept. */
export interface TrainingRun {
  readonly folder: RunFolder;
  readonly config: RunConfig;
  readonly prepared: PreparedJob;
}

export interface TrainingOptions {
  /** Whose processes train. They stay, for another training. */
  readonly cluster: LocalCluster;
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
 * Trains on a cluster of local processes, and leaves a run folder with everything. Throws ABORTED if the job fails; the folder then has what there was.
 */
export async function runTraining(run: TrainingRun, options: TrainingOptions): Promise<Trained> {
  const startedAtMs = performance.now();
  const { folder, config, prepared } = run;
  const { spec } = prepared;
  const { cluster, line } = options;
  const { servers, workers, verbose, leaseMs, transport, compute } = cluster.flags;
  const { startedFrom: origin } = config;
  const coordinator = await openCoordinator(config.coordinator, config.job);
  // Only now: a run whose coordinator cannot be reached leaves nothing behind.
  folder.begin(config);
  const failed = new AbortController();
  const begin = () =>
    cluster.begin({
      place: { coordinator: config.coordinator, job: config.job },
      onLine: (source, text) => {
        if (verbose || !text.startsWith('info: ')) line(`${source}: ${text}`);
      },
      onFailed: (error) => failed.abort(error),
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
    const result = await runController({
      coordinator,
      memberId: memberId('controller'),
      spec,
      initialParameters: async () => (await prepared.begin()).parameters,
      start: options.resume ? 'resume' : 'new',
      ...{ servers, workers, leaseMs, transport },
      ...{ stop: options.stop, giveUp: failed.signal, onMetric },
      log: (level, message) => {
        if (verbose || level !== 'info') line(`controller: ${level}: ${message}`);
      },
      onOpened: begin,
      onPlaced: () => {
        setupMs ||= performance.now() - startedAtMs;
        progress.start(Date.now());
        options.onPlaced?.();
      },
    });
    await cluster.end();
    await readAllMetrics(coordinator, result.metricsCursor, onMetric);
    if (result.state === 'failed') throw new TributaryError('ABORTED', `the job failed: ${result.error}`);

    const { layout, flat } = await modelParameters(coordinator, result.checkpoint);
    const { job, shape } = prepared;
    const { loss, accuracy, on } = await evaluateParameters(job, shape, flat, compute);
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
      ...(progress.qaoa && { qaoa: progress.qaoa }),
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
    await cluster.end();
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

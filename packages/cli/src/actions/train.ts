import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { readAllMetrics } from '@tributary/coordinator/readAllMetrics.ts';
import { encodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { asTributaryError, TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { runController } from '@tributary/server/controller/Controller.ts';
import type { ComputeChoice } from '@tributary/worker/compute/openBackend.ts';
import { loadJob } from '@tributary/worker/job/loadJob.ts';
import { modelParameters } from '@tributary/worker/parameters/loadParameters.ts';
import { type OverrideFlags, overridesIn } from '../commands/flags.ts';
import { exitCodes } from '../exitCodes.ts';
import { LocalCluster } from '../launcher/LocalCluster.ts';
import { memberId } from '../launcher/memberId.ts';
import { describeOrigin } from '../parameters/beginFrom.ts';
import { evaluateParameters } from '../parameters/evaluateParameters.ts';
import { parameterHash } from '../parameters/parameterHash.ts';
import { type PreparedJob, prepareJob } from '../parameters/prepareJob.ts';
import { progressText } from '../progress/progressText.ts';
import { RunProgress } from '../progress/RunProgress.ts';
import { Screen } from '../progress/Screen.ts';
import { lossCurve } from '../runs/lossCurve.ts';
import { type RunConfig, RunFolder } from '../runs/RunFolder.ts';
import { describeSummary, type TrainSummary } from '../runs/TrainSummary.ts';

export interface TrainFlags extends OverrideFlags {
  readonly servers: number;
  readonly workers: number;
  readonly coordinator?: string;
  readonly job?: string;
  readonly resume?: boolean;
  readonly runs: string;
  readonly leaseMs: number;
  readonly compute: ComputeChoice;
  readonly computeThreads: number;
  readonly selfCheck: boolean;
  readonly printEvery?: number;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

export async function train(path: string, given: TrainFlags): Promise<void> {
  const startedAtMs = performance.now();
  const screen = new Screen(process.stderr);
  const stop = stopSignal(screen);
  const run = await openRun(path, given);
  const { folder, config, prepared } = run;
  const { spec } = prepared;
  const { startedFrom: origin } = config;
  if (origin !== undefined && !given.resume) screen.line(`started from ${describeOrigin(origin)}`);
  const coordinator = await openCoordinator(config.coordinator, config.job);
  // Only now: a run whose coordinator cannot be reached leaves nothing behind.
  folder.begin(config);
  const cluster = new LocalCluster({
    servers: given.servers,
    workers: given.workers,
    ...childArguments(run, given),
    onLine: (source, line) => {
      if (given.verbose || !line.startsWith('info: ')) screen.line(`${source}: ${line}`);
    },
  });
  const progress = new RunProgress(spec);
  const printEvery = given.printEvery ?? prepared.job.printEverySteps;
  let setupMs = 0;
  let metricsKept = true;
  const keepMetric = (entry: MetricEntry) => {
    try {
      folder.appendMetric(entry);
      metricsKept = true;
    } catch (error) {
      // No reason to end a training; said once.
      if (metricsKept) screen.line(`warning: metrics are lost: ${asTributaryError(error).line}`);
      metricsKept = false;
    }
  };
  const onMetric = (entry: MetricEntry) => {
    keepMetric(entry);
    progress.add(entry);
    if (entry.kind !== 'step') return;
    if (printEvery !== undefined && entry.step % printEvery === 0) {
      screen.line(`step ${entry.step}  loss ${entry.loss.toPrecision(9)}`);
    }
    screen.bottom(progressText(progress.now(), spec));
  };
  try {
    const controller = runController({
      coordinator,
      memberId: memberId('controller'),
      spec,
      initialParameters: async () => (await prepared.begin()).parameters,
      start: given.resume ? 'resume' : 'new',
      servers: given.servers,
      workers: given.workers,
      leaseMs: given.leaseMs,
      stop,
      log: (level, message) => {
        if (given.verbose || level !== 'info') screen.line(`controller: ${level}: ${message}`);
      },
      onOpened: () => cluster.start(),
      onPlaced: () => {
        setupMs ||= performance.now() - startedAtMs;
        progress.start(Date.now());
      },
      onMetric,
    });
    controller.catch(() => {});
    const result = await Promise.race([controller, cluster.failed]);
    await cluster.stop();
    await readAllMetrics(coordinator, result.metricsCursor, onMetric);
    screen.clear();
    if (result.state === 'failed') throw new TributaryError('ABORTED', `the job failed: ${result.error}`);

    const { layout, flat } = await modelParameters(coordinator, result.checkpoint);
    const { loss, accuracy, on } = await evaluateParameters(
      prepared.job,
      prepared.shape,
      flat,
      given.compute,
    );
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
      ranks: spec.ranks,
      batchSize: spec.batchSize,
      workers: given.workers,
      servers: given.servers,
      coordinator: coordinator.url,
      staleness: spec.staleness ?? 'infinity',
      optimizer: prepared.job.optimizer.name,
      hyperparameters: prepared.job.optimizer.hyperparameters,
      compute: progress.backends,
      parameters: layout.length,
      loss,
      accuracy: accuracy ?? null,
      evaluatedOn: on,
      trainMs: Math.round(progress.trainMs),
      setupMs: Math.round(setupMs),
      samplesPerSecond: Math.round(progress.samplesPerSecond),
      checkpoint: folder.file('parameters.safetensors'),
      parametersSha256: parameterHash(flat),
    };
    const metadata = { job: spec.name, step: String(steps) };
    folder.write('parameters.safetensors', encodeSafetensors(layout, flat, metadata));
    folder.write('loss.svg', lossCurve(config.id, folder.metrics()));
    folder.writeJson('summary.json', summary);
    process.stdout.write(
      given.json ? `${JSON.stringify(summary)}\n` : `\n${describeSummary(summary, folder.path)}\n\n`,
    );
    if (stop.aborted) process.exitCode = exitCodes.interrupted;
  } finally {
    screen.clear();
    await cluster.stop();
    await coordinator.close();
  }
}

/** Ctrl-C asks for a clean end; a second one leaves at once, and the children with it. */
function stopSignal(screen: Screen): AbortSignal {
  const stop = new AbortController();
  process.on('SIGTERM', () => stop.abort());
  process.on('SIGINT', () => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    screen.line(
      'stopping: the ranks finish together and a checkpoint is written (Ctrl-C again to leave at once)',
    );
    stop.abort();
  });
  return stop.signal;
}

interface Run {
  readonly folder: RunFolder;
  readonly config: RunConfig;
  readonly prepared: PreparedJob;
}

/** What the server and worker processes are started with. */
function childArguments({ config, prepared }: Run, given: TrainFlags) {
  const { coordinator, job } = config;
  const common = ['--coordinator', coordinator, '--job', job, '--lease-ms', String(given.leaseMs)];
  const compute = ['--compute', given.compute, '--compute-threads', String(given.computeThreads)];
  return {
    serverArguments: [...common, '--bind', '127.0.0.1:0'],
    workerArguments: [prepared.file, ...common, ...compute, ...(given.selfCheck ? [] : ['--no-self-check'])],
  };
}

/** What was said before holds, option by option, unless it is said anew. */
function resumedOverrides(before: OverrideFlags, given: OverrideFlags): OverrideFlags {
  return { ...before, ...given, options: { ...before.options, ...given.options } };
}

/** The run to do: a new folder, or with --resume the newest of this job with its settings, where flags do not say otherwise. */
async function openRun(path: string, given: TrainFlags): Promise<Run> {
  if (given.resume && given.coordinator === undefined) {
    const { job, file } = await loadJob(path);
    const folder = RunFolder.newest(given.runs, job.name);
    const before = folder.config();
    const overrides = resumedOverrides(before.overrides as OverrideFlags, overridesIn(given));
    const prepared = await prepareJob(file, overrides);
    const config = { ...before, overrides, spec: prepared.spec };
    return { folder, config, prepared };
  }
  if (given.resume && given.job === undefined) {
    throw new TributaryError('INVALID_ARGUMENT', '--resume with --coordinator needs --job', {
      hint: '`tributary status --coordinator URL` lists the jobs there.',
    });
  }
  const overrides = overridesIn(given);
  const prepared = await prepareJob(path, overrides);
  const { origin } = given.resume ? {} : await prepared.begin();
  const { folder, id } = RunFolder.choose(given.runs, prepared.job.name, new Date());
  const config: RunConfig = {
    id,
    job: given.job ?? id,
    jobName: prepared.job.name,
    jobFile: prepared.file,
    coordinator: given.coordinator ?? `sqlite:${folder.file('coordinator.sqlite')}`,
    servers: given.servers,
    workers: given.workers,
    overrides,
    ...(origin && { startedFrom: origin }),
    spec: prepared.spec,
  };
  return { folder, config, prepared };
}

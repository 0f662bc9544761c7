import { writeFileSync } from 'node:fs';
import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { encodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { runController } from '@tributary/server/controller/Controller.ts';
import type { ComputeChoice } from '@tributary/worker/compute/openBackend.ts';
import { loadJob } from '@tributary/worker/job/loadJob.ts';
import { Command } from 'commander';
import { exitCodes } from '../exitCodes.ts';
import { LocalCluster } from '../launcher/LocalCluster.ts';
import { memberId } from '../launcher/memberId.ts';
import { evaluateParameters } from '../parameters/evaluateParameters.ts';
import { checkpointParameters } from '../parameters/loadParameters.ts';
import { parameterHash } from '../parameters/parameterHash.ts';
import { type PreparedJob, prepareJob } from '../parameters/prepareJob.ts';
import { duration, number, percent, progressText } from '../progress/progressText.ts';
import { RunProgress } from '../progress/RunProgress.ts';
import { Screen } from '../progress/Screen.ts';
import { summaryTable } from '../progress/summaryTable.ts';
import { lossCurve } from '../runs/lossCurve.ts';
import { type RunConfig, RunFolder } from '../runs/RunFolder.ts';
import { flags, type OverrideFlags, overrideFlags, overridesIn } from './flags.ts';

interface TrainFlags extends OverrideFlags {
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

export function trainCommand(): Command {
  const command = new Command('train')
    .argument('<job>', 'the job file: TypeScript that default-exports defineJob({ ... })')
    .summary('train a model on a cluster of local processes')
    .description(
      'Starts servers and workers on this machine, trains the model of the job file, and leaves a run folder with a checkpoint,\nmetrics, a loss curve and the trained parameters.',
    )
    .addOption(flags.servers())
    .addOption(flags.workers())
    .addOption(flags.coordinator())
    .addOption(flags.job())
    .option('--resume', 'go on from the newest checkpoint of the newest run of this job')
    .addOption(flags.runs());
  for (const option of overrideFlags()) command.addOption(option);
  return command
    .addOption(flags.compute())
    .addOption(flags.computeThreads())
    .addOption(flags.noSelfCheck())
    .addOption(flags.leaseMs())
    .addOption(flags.printEvery())
    .option('--verbose', 'show what every process says')
    .addOption(flags.json())
    .addHelpText(
      'after',
      `
Without --coordinator the cluster agrees through an SQLite file in the run folder; nothing has to be installed.
Ctrl-C stops cleanly, with a checkpoint, and exits with 130.

Examples:
  tributary train examples/mnist/job.ts
  tributary train job.ts --workers 4 --staleness 2 --epochs 20
  tributary train job.ts --coordinator redis://localhost:6379
  tributary train job.ts --resume --epochs 40
  tributary train job.ts --json > summary.json`,
    )
    .action(train);
}

async function train(path: string, given: TrainFlags): Promise<void> {
  const startedAtMs = performance.now();
  const screen = new Screen(process.stderr);
  const stop = new AbortController();
  process.on('SIGINT', () => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    screen.line(
      'stopping: the ranks finish together and a checkpoint is written (Ctrl-C again to leave at once)',
    );
    stop.abort();
  });
  process.on('SIGTERM', () => stop.abort());

  const { folder, config, prepared } = await openRun(path, given);
  const { spec } = prepared;
  const coordinator = await openCoordinator(config.coordinator, config.job);
  const progress = new RunProgress(spec);
  const place = [
    '--coordinator',
    config.coordinator,
    '--job',
    config.job,
    '--lease-ms',
    String(given.leaseMs),
  ];
  const compute = ['--compute', given.compute, '--compute-threads', String(given.computeThreads)];
  const cluster = new LocalCluster({
    servers: given.servers,
    workers: given.workers,
    serverArguments: [...place, '--bind', '127.0.0.1:0'],
    workerArguments: [prepared.file, ...place, ...compute, ...(given.selfCheck ? [] : ['--no-self-check'])],
    onLine: (source, line) => {
      if (given.verbose || !line.startsWith('info: ')) screen.line(`${source}: ${line}`);
    },
  });
  let setupMs = 0;
  const onMetric = (entry: MetricEntry) => {
    folder.appendMetric(entry);
    progress.add(entry);
    if (entry.kind === 'step' && given.printEvery !== undefined && entry.step % given.printEvery === 0) {
      screen.line(`step ${entry.step}  loss ${entry.loss.toPrecision(9)}`);
    }
    if (entry.kind === 'event' && (given.verbose || entry.level !== 'info'))
      screen.line(`${entry.source}: ${entry.level}: ${entry.message}`);
    if (entry.kind === 'step') screen.bottom(progressText(progress.now(), spec));
  };

  try {
    const controller = runController({
      coordinator,
      memberId: memberId('controller'),
      spec,
      initialParameters: prepared.initialParameters,
      start: given.resume ? 'resume' : 'new',
      servers: given.servers,
      workers: given.workers,
      leaseMs: given.leaseMs,
      stop: stop.signal,
      log: (level, message) => {
        if (given.verbose || level !== 'info') screen.line(`controller: ${level}: ${message}`);
      },
      onMetric,
      onOpened: () => cluster.start(),
      onPlaced: () => {
        setupMs = performance.now() - startedAtMs;
        progress.start(Date.now());
      },
    });
    controller.catch(() => {});
    const result = await Promise.race([controller, cluster.failed]);
    screen.clear();
    await cluster.stop();
    if (result.state === 'failed') throw new TributaryError('ABORTED', `the job failed: ${result.error}`);

    const { flat } = await checkpointParameters(coordinator, result.checkpoint);
    const evaluation = await evaluateParameters(prepared.job, prepared.shape, flat, given.compute);
    const parametersFile = folder.file('parameters.safetensors');
    writeFileSync(
      parametersFile,
      encodeSafetensors(spec.layout, flat, { job: spec.name, step: String(result.checkpoint.step) }),
    );
    writeFileSync(folder.file('loss.svg'), lossCurve(config.id, folder.metrics()));
    const summary = {
      run: config.id,
      state: result.state,
      job: spec.name,
      seed: spec.seed,
      steps: result.checkpoint.step,
      epochs: result.checkpoint.step / spec.stepsPerEpoch,
      ranks: spec.ranks,
      batchSize: spec.batchSize,
      workers: given.workers,
      servers: given.servers,
      coordinator: coordinator.url,
      staleness: spec.staleness ?? 'infinity',
      optimizer: spec.optimizer,
      compute: given.compute,
      parameters: spec.layout.length,
      loss: evaluation.loss,
      accuracy: evaluation.accuracy ?? null,
      evaluatedOn: evaluation.on,
      trainMs: Math.round(progress.trainMs),
      setupMs: Math.round(setupMs),
      samplesPerSecond: Math.round(progress.samplesPerSecond),
      checkpoint: parametersFile,
      parametersSha256: parameterHash(flat),
    };
    folder.writeJson('summary.json', summary);
    if (given.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
    else {
      const rows = [
        ['state', `${result.state} after ${summary.steps} steps (${summary.epochs.toFixed(1)} epochs)`],
        [
          'cluster',
          `${given.servers} servers, ${given.workers} workers, ${spec.ranks} ranks x ${spec.batchSize} examples, staleness ${summary.staleness}`,
        ],
        ['method', `${spec.optimizer.name}, ${spec.layout.length.toLocaleString('en-US')} parameters`],
        [`${evaluation.on} loss`, number(evaluation.loss)],
        ...(evaluation.accuracy === undefined
          ? []
          : [[`${evaluation.on} accuracy`, percent(evaluation.accuracy)]]),
        [
          'time',
          `${duration(summary.trainMs)} of training after ${duration(summary.setupMs)} of setting up, ${summary.samplesPerSecond.toLocaleString('en-US')} samples/s`,
        ],
        ['sha-256', summary.parametersSha256],
        ['run folder', folder.path],
      ] as [string, string][];
      process.stdout.write(`\n${summaryTable(rows)}\n\n`);
    }
    if (stop.signal.aborted) process.exitCode = exitCodes.interrupted;
  } finally {
    screen.clear();
    await cluster.stop();
    await coordinator.close();
  }
}

/** The run to do: a new folder, or with --resume the newest of this job with its settings, where flags do not say otherwise. */
async function openRun(
  path: string,
  given: TrainFlags,
): Promise<{ folder: RunFolder; config: RunConfig; prepared: PreparedJob }> {
  if (given.resume && given.coordinator === undefined) {
    const { job, file } = await loadJob(path);
    const folder = RunFolder.newest(given.runs, job.name);
    const before = folder.config();
    const prepared = await prepareJob(file, {
      ...(before.overrides as OverrideFlags),
      ...overridesIn(given),
    });
    return { folder, config: before, prepared };
  }
  if (given.resume && given.job === undefined) {
    throw new TributaryError('INVALID_ARGUMENT', '--resume with --coordinator needs --job', {
      hint: '`tributary status --coordinator URL` lists the jobs there.',
    });
  }
  const overrides = overridesIn(given);
  const prepared = await prepareJob(path, overrides);
  const { folder, id } = RunFolder.create(given.runs, prepared.job.name, new Date());
  const config: RunConfig = {
    id,
    job: given.job ?? id,
    jobName: prepared.job.name,
    jobFile: prepared.file,
    coordinator: given.coordinator ?? `sqlite:${folder.file('coordinator.sqlite')}`,
    servers: given.servers,
    workers: given.workers,
    overrides,
    spec: prepared.spec,
  };
  folder.writeJson('config.json', config);
  return { folder, config, prepared };
}

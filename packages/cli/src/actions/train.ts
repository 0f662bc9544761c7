import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { loadJob } from '@tributary/worker/job/loadJob.ts';
import { type OverrideFlags, overridesIn } from '../commands/flags.ts';
import { exitCodes } from '../exitCodes.ts';
import { type ClusterFlags, LocalCluster } from '../launcher/LocalCluster.ts';
import { stopSignal } from '../launcher/stopSignal.ts';
import { describeOrigin } from '../parameters/beginFrom.ts';
import { prepareJob } from '../parameters/prepareJob.ts';
import { progressText } from '../progress/progressText.ts';
import { Screen } from '../progress/Screen.ts';
import { encodingWarning } from '../runs/encodingWarning.ts';
import { type RunConfig, RunFolder } from '../runs/RunFolder.ts';
import { runTraining, type TrainingRun } from '../runs/runTraining.ts';
import { describeSummary } from '../runs/TrainSummary.ts';

export interface TrainFlags extends OverrideFlags, ClusterFlags {
  readonly coordinator?: string;
  readonly job?: string;
  readonly resume?: boolean;
  readonly runs: string;
  readonly printEvery?: number;
  readonly json?: boolean;
}

export async function train(path: string, given: TrainFlags): Promise<void> {
  const screen = new Screen(process.stderr);
  const stop = stopSignal(() =>
    screen.line(
      'stopping: the ranks finish together and a checkpoint is written (Ctrl-C again to leave at once)',
    ),
  );
  const run = await openRun(path, given);
  const { job, spec } = run.prepared;
  const { startedFrom: origin } = run.config;
  if (origin !== undefined && !given.resume) screen.line(`started from ${describeOrigin(origin)}`);
  const warning = encodingWarning(spec, given.workers);
  if (warning !== undefined) screen.line(`warning: ${warning}`);
  const printEvery = given.printEvery ?? job.printEverySteps;
  const cluster = new LocalCluster(run.prepared.file, given);
  try {
    const { summary } = await runTraining(run, {
      cluster,
      resume: given.resume === true,
      stop,
      line: (text) => screen.line(text),
      onMetric: (entry, progress) => {
        if (entry.kind !== 'step') return;
        if (printEvery !== undefined && entry.step % printEvery === 0) {
          screen.line(`step ${entry.step}  loss ${entry.loss.toPrecision(9)}`);
        }
        screen.bottom(progressText(progress.now(), spec));
      },
    }).finally(() => cluster.close());
    screen.clear();
    process.stdout.write(
      given.json ? `${JSON.stringify(summary)}\n` : `\n${describeSummary(summary, run.folder.path)}\n\n`,
    );
    if (stop.aborted) process.exitCode = exitCodes.interrupted;
  } finally {
    screen.clear();
  }
}

/** What was said before holds, option by option, unless it is said anew. */
function resumedOverrides(before: OverrideFlags, given: OverrideFlags): OverrideFlags {
  return { ...before, ...given, options: { ...before.options, ...given.options } };
}

/** The run to do: a new folder, or with --resume the newest of this job with its settings, where flags do not say otherwise. */
async function openRun(path: string, given: TrainFlags): Promise<TrainingRun> {
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

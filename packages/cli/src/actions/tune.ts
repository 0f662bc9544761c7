import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { type OverrideFlags, overridesIn } from '../commands/flags.ts';
import { exitCodes } from '../exitCodes.ts';
import { type ClusterFlags, LocalCluster } from '../launcher/LocalCluster.ts';
import { stopSignal } from '../launcher/stopSignal.ts';
import { type PreparedJob, prepareJob } from '../parameters/prepareJob.ts';
import { progressBar } from '../progress/progressBar.ts';
import { number } from '../progress/progressText.ts';
import { Screen } from '../progress/Screen.ts';
import { describeMachine } from '../report/machine.ts';
import { textTable } from '../report/textTable.ts';
import { RunFolder } from '../runs/RunFolder.ts';
import { findLearningRate, measureNoiseScale, type ProbeOptions } from '../tune/findLearningRate.ts';
import type { FoundRate } from '../tune/findRate.ts';
import { rungsOf } from '../tune/halve.ts';
import { hasLearningRate } from '../tune/hyperparameterNames.ts';
import type { NoiseScale } from '../tune/noiseScale.ts';
import { type Contender, searchableNames, searchJob } from '../tune/searchJob.ts';
import { describePoint, parseSearch, samplePoints } from '../tune/searchSpace.ts';
import { facts, rateReport, rateText, searchCells, searchColumns, searchReport } from '../tune/tuneReport.ts';

export interface TuneFlags extends OverrideFlags, ClusterFlags {
  readonly search?: string;
  readonly trials: number;
  readonly eta: number;
  readonly passes?: number;
  readonly passesMin?: number;
  readonly parallel: number;
  readonly rateFrom: number;
  readonly rateTo: number;
  readonly rateSteps: number;
  readonly noisePasses: number;
  readonly runs: string;
  readonly json?: boolean;
}

export async function tune(path: string, given: TuneFlags): Promise<void> {
  const screen = new Screen(process.stderr);
  const stop = stopSignal(() =>
    screen.line('stopping: what is known by now is reported (Ctrl-C again to leave at once)'),
  );
  const base = await prepareJob(path, overridesIn(given));
  const { folder } = RunFolder.choose(given.runs, `tune-${base.job.name}`, new Date());
  const count = given.search === undefined ? 1 : given.parallel;
  const clusters = Array.from({ length: count }, () => new LocalCluster(base.file, given));
  const tuning: Tuning = { path, given, base, folder, clusters, stop, screen };
  try {
    const { result, text } = await (given.search === undefined
      ? findRates(tuning)
      : search(tuning, given.search));
    screen.clear();
    folder.writeJson('tune.json', result);
    process.stdout.write(
      given.json ? `${JSON.stringify(result)}\n` : `\n${text}\n\n  report  ${folder.file('report.html')}\n\n`,
    );
    if (stop.aborted) process.exitCode = exitCodes.interrupted;
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.close()));
    screen.clear();
  }
}

interface Tuning {
  readonly path: string;
  readonly given: TuneFlags;
  readonly base: PreparedJob;
  readonly folder: RunFolder;
  /** Trials are jobs on these, one after the other on each. */
  readonly clusters: readonly LocalCluster[];
  readonly stop: AbortSignal;
  readonly screen: Screen;
}

interface Outcome {
  readonly result: object;
  readonly text: string;
}

/** The learning rate, and how large a batch pays. */
async function findRates(tuning: Tuning): Promise<Outcome> {
  const { given, base, folder, stop, screen } = tuning;
  const { optimizer } = base.job;
  if (!hasLearningRate(optimizer.name)) {
    throw new TributaryError('INVALID_ARGUMENT', `${optimizer.name} has no learning rate to find`, {
      hint: 'Search its options with --search, or compare methods with `tributary compare`.',
    });
  }
  const { rateFrom: from, rateTo: to, rateSteps: steps } = given;
  if (!(from < to)) {
    throw new TributaryError('INVALID_ARGUMENT', `--rate-from is ${from}, --rate-to ${to}`, {
      hint: 'The rate grows: give a smaller --rate-from.',
    });
  }
  folder.make();
  const found = await findLearningRate(probeOptions(tuning, steps, 'learning rate'), { from, to, steps });
  const rate = found.rate ?? ownRate(base);
  const noise = await noiseAt(tuning, rate);
  screen.clear();
  const advice = [...rateAdvice(found, base, stop), ...noiseAdvice(noise, base)];
  folder.write(
    'report.html',
    rateReport(`${base.job.name}: learning rate of ${optimizer.name}`, found, advice, factsOf(tuning)),
  );
  return {
    result: {
      ...{ job: base.job.name, folder: folder.path, optimizer: optimizer.name },
      ...{ learningRate: found.rate ?? null, edge: found.edge ?? null, curve: found.curve },
      noiseScale: noise !== undefined && Number.isFinite(noise.examples) ? noise.examples : null,
    },
    text: advice.map((line) => `  - ${line}`).join('\n'),
  };
}

function probeOptions(
  { path, given, folder, clusters, stop, screen }: Tuning,
  steps: number,
  what: string,
): ProbeOptions {
  return {
    ...{ path, overrides: overridesIn(given), cluster: clusters[0], folder, stop },
    line: (text) => screen.line(text),
    onProgress: (done, loss) => screen.bottom(`${what}  ${progressBar(done / steps)}  loss ${number(loss)}`),
  };
}

/** Undefined where it cannot be measured: it takes minibatches of several ranks at the same step. */
async function noiseAt(tuning: Tuning, rate: number): Promise<NoiseScale | undefined> {
  const { given, base, stop } = tuning;
  const { spec } = base;
  const passes = given.noisePasses;
  if (stop.aborted || passes === 0 || spec.staleness !== 0 || spec.ranks === 1 || spec.sampling === 'full')
    return undefined;
  const steps = Math.max(1, Math.round(passes * spec.stepsPerEpoch));
  return measureNoiseScale(probeOptions(tuning, steps, 'noise scale'), rate, passes);
}

function ownRate({ job }: PreparedJob): number {
  const rate = job.optimizer.hyperparameters.learningRate;
  return typeof rate === 'number' ? rate : 1e-3;
}

function rateAdvice({ rate, edge }: FoundRate, { job }: PreparedJob, stop: AbortSignal): string[] {
  if (rate === undefined || edge === undefined) {
    return [
      stop.aborted
        ? 'It was stopped before the loss fell.'
        : 'The loss never fell: the rates may all be too large, or too small. Give others by --rate-from and --rate-to.',
    ];
  }
  const { name, hyperparameters } = job.optimizer;
  const own = hyperparameters.learningRate;
  return [
    `Take ${name}({ learningRate: ${rateText(rate)} }): there the loss fell fastest.`,
    `It was least at ${rateText(edge)}, and rose beyond: a tenth of that, ${rateText(edge / 10)}, is about as far as one may go.`,
    ...(typeof own === 'number' ? [`The job has ${own}.`] : []),
  ];
}

function noiseAdvice(noise: NoiseScale | undefined, { spec }: PreparedJob): string[] {
  if (noise === undefined) return [];
  if (!Number.isFinite(noise.examples)) {
    return [`No noise scale: over ${noise.steps} steps the gradient was not to be told from its noise.`];
  }
  const perRank = Math.max(1, Math.round(noise.examples / spec.ranks));
  const now = spec.ranks * spec.batchSize;
  const advice =
    now < noise.examples / 2
      ? `Steps of ${now} examples are noisy: larger ones, up to batchSize ${perRank}, need fewer steps in the same proportion.`
      : now > noise.examples * 2
        ? `Steps of ${now} examples are more than pays: with batchSize ${perRank} as much is learnt from fewer passes.`
        : `Steps of ${now} examples, as the job has them, are about right.`;
  return [
    `The gradient noise scale is ${Math.round(noise.examples)} examples a step, that is batchSize ${perRank} with ${spec.ranks} ranks. ${advice}`,
  ];
}

function factsOf({ base, given }: Tuning) {
  const { shape, spec } = base;
  return facts({ parameters: shape.layout.length, trainSize: spec.trainSize }, given, describeMachine());
}

async function search(tuning: Tuning, text: string): Promise<Outcome> {
  const { path, given, base, folder, clusters, stop, screen } = tuning;
  const { spec, job } = base;
  const passes = given.passes ?? spec.steps / spec.stepsPerEpoch;
  const methods = [job.optimizer.name, ...(/(?:^|,)\s*method=([^,]*)/.exec(text)?.[1].split('|') ?? [])];
  const dimensions = parseSearch(text, searchableNames(base, methods));
  const points = samplePoints(dimensions, given.trials, spec.seed);
  const rungs = rungsOf(points.length, passes, given.passesMin ?? Math.min(1, passes), given.eta);
  const trainings = rungs.reduce((sum, { contenders }) => sum + contenders, 0);
  screen.line(
    `${points.length} trials; ${rungs.map((rung) => `${rung.contenders} up to ${Number(rung.passes.toPrecision(3))} passes`).join(', ')}`,
  );
  folder.make();
  let done = 0;
  const contenders = await searchJob({
    ...{ path, overrides: overridesIn(given), base, points, rungs, clusters },
    ...{ folder, stop, line: (line) => screen.line(line) },
    onTrained: (contender, rung) => {
      done++;
      screen.line(trainedLine(contender, rung, rungs.length));
      screen.bottom(`${progressBar(done / trainings)}  ${done} of ${trainings} trainings`);
    },
  });
  screen.clear();
  const advice = searchAdvice(contenders, base);
  folder.write(
    'report.html',
    searchReport(
      `${job.name}: search over ${dimensions.map(({ name }) => name).join(', ')}`,
      contenders,
      rungs,
      advice,
      factsOf(tuning),
    ),
  );
  return {
    result: { job: job.name, folder: folder.path, rungs, trials: contenders },
    text: [
      ...textTable(
        searchColumns,
        contenders.map((contender) => searchCells(contender, rungs)),
        2,
      ),
      ...contenders
        .filter(({ failure }) => failure !== '')
        .map(({ number: trial, failure }) => `trial ${trial}: ${failure}`),
      '',
      ...advice,
    ]
      .map((line) => `  ${line}`.trimEnd())
      .join('\n'),
  };
}

function trainedLine(
  { number: trial, point, loss, passes, failure }: Contender,
  rung: number,
  rungs: number,
): string {
  const came =
    failure === '' ? `loss ${number(loss)} after ${Number(passes.toPrecision(3))} passes` : failure;
  return `rung ${rung + 1}/${rungs}, trial ${trial} (${describePoint(point)}): ${came}`;
}

function searchAdvice([best]: readonly Contender[], { job }: PreparedJob): string[] {
  if (best === undefined || best.failure !== '' || Number.isNaN(best.loss))
    return ['No trial came to a loss.'];
  return [
    `Take ${describePoint(best.point)}: a loss of ${number(best.loss)}.`,
    ...(job.data.test === undefined
      ? []
      : ['It was chosen by the test data, so its loss there flatters it a little.']),
  ];
}

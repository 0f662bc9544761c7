import { availableParallelism } from 'node:os';
import { asTributaryError, TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Job } from '@tributary/worker/job/Job.ts';
import { type OverrideFlags, overridesIn } from '../commands/flags.ts';
import { chooseMethod } from '../compare/chooseMethod.ts';
import { compareReport } from '../compare/compareReport.ts';
import { compareTrials, type Failure, middleTarget, type Trial } from '../compare/compareTrials.ts';
import { comparedTable, ms } from '../compare/describe.ts';
import { type Budget, methodJob } from '../compare/methodJob.ts';
import { type MethodChoice, parseMethods } from '../compare/parseMethods.ts';
import { runTrial } from '../compare/runTrial.ts';
import { tuneChoice } from '../compare/tuneChoice.ts';
import { exitCodes } from '../exitCodes.ts';
import { type ClusterFlags, LocalCluster } from '../launcher/LocalCluster.ts';
import { stopSignal } from '../launcher/stopSignal.ts';
import { type PreparedJob, prepareJob } from '../parameters/prepareJob.ts';
import { progressBar } from '../progress/progressBar.ts';
import { number, percent } from '../progress/progressText.ts';
import type { RunProgress } from '../progress/RunProgress.ts';
import { Screen } from '../progress/Screen.ts';
import { describeMachine } from '../report/machine.ts';
import { RunFolder } from '../runs/RunFolder.ts';
import { defaultLearningRate, hasLearningRate } from '../tune/hyperparameterNames.ts';

export interface CompareFlags extends OverrideFlags, ClusterFlags {
  readonly methods: string;
  readonly budgetPasses?: number;
  readonly budgetSeconds?: number;
  readonly seeds: number;
  readonly targetLoss?: number;
  /** Search learning rates that nobody chose. */
  readonly tune?: boolean;
  readonly runs: string;
  readonly json?: boolean;
}

export async function compare(path: string, given: CompareFlags): Promise<void> {
  const choices = parseMethods(given.methods);
  const screen = new Screen(process.stderr);
  const stop = stopSignal(() =>
    screen.line('stopping: the report is of the trainings that are complete (Ctrl-C again to leave at once)'),
  );
  const base = await prepareJob(path, overridesIn(given));
  const comparison = new Comparison(path, given, choices, base, screen);
  try {
    await comparison.run(stop);
  } finally {
    await comparison.close();
    screen.clear();
  }
  const result = comparison.result();
  process.stdout.write(given.json ? `${JSON.stringify(result)}\n` : `\n${comparison.text()}\n\n`);
  if (stop.aborted) process.exitCode = exitCodes.interrupted;
}

/** Trains with each method and seed, and keeps the report in step with what is done. */
class Comparison {
  readonly #path: string;
  readonly #given: CompareFlags;
  #choices: readonly MethodChoice[];
  readonly #base: PreparedJob;
  readonly #screen: Screen;
  readonly #budget: Budget;
  readonly #folder: RunFolder;
  /** Trainings are jobs on it, one after the other. */
  readonly #cluster: LocalCluster;
  readonly #trials: Trial[] = [];
  readonly #failures: Failure[] = [];

  constructor(
    path: string,
    given: CompareFlags,
    choices: readonly MethodChoice[],
    base: PreparedJob,
    screen: Screen,
  ) {
    this.#path = path;
    this.#given = given;
    this.#choices = choices;
    this.#base = base;
    this.#screen = screen;
    this.#budget = budgetOf(given, base);
    this.#folder = RunFolder.choose(given.runs, `compare-${base.job.name}`, new Date()).folder;
    this.#cluster = new LocalCluster(base.file, given);
  }

  async run(stop: AbortSignal): Promise<void> {
    const { seeds } = this.#given;
    const { seed: firstSeed } = this.#base.spec;
    // All are asked before any is trained, so that what cannot be is said at once.
    for (const choice of this.#choices) await this.#attempt(choice, () => this.#prepare(choice, firstSeed));
    if (this.#failures.length === this.#choices.length) {
      const reasons = this.#failures.map(({ method, reason }) => `${method}: ${reason}`);
      throw new TributaryError('FAILED_PRECONDITION', `no method can train this job: ${reasons.join('; ')}`);
    }
    this.#folder.make();
    if (this.#given.tune) await this.#tune(stop);
    // Seed by seed, so that after Ctrl-C the methods have as many trainings each, or nearly.
    for (let index = 0; index < seeds; index++) {
      for (const choice of this.#choices) {
        if (stop.aborted) return;
        if (this.#hasFailed(choice.label)) continue;
        // A first training begins with new processes: what they come to hold is this method's.
        if (index === 0) await this.#cluster.stop();
        const trial = await this.#attempt(choice, () => this.#train(choice, firstSeed + index, stop), stop);
        if (trial === undefined) continue;
        this.#trials.push(trial);
        this.#screen.line(trialLine(trial));
        this.#write();
      }
    }
    this.#write();
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }

  /** What is on standard output with --json, and in compare.json. */
  result() {
    const { spec } = this.#base;
    return {
      ...{ job: spec.name, folder: this.#folder.path, budget: this.#budget, target: this.#target() },
      ...{ methods: this.#results(), failures: this.#failures, choice: this.#choice() ?? null },
      trials: this.#trials.map(({ inferenceMs: _, ...trial }) => trial),
    };
  }

  text(): string {
    if (this.#trials.length === 0) return 'no training is complete';
    const choice = this.#choice();
    return [
      comparedTable(this.#results(), this.#failures),
      ...(choice === undefined
        ? []
        : [`  Take ${choice.method}.`, ...choice.reasons.map((reason) => `  - ${reason}`)]),
      `  report  ${this.#folder.file('report.html')}`,
    ]
      .join('\n\n')
      .replaceAll('\n\n  -', '\n  -');
  }

  /** Searches the learning rates that nobody chose, for as many passes altogether as one training may have, or nearly. */
  async #tune(stop: AbortSignal): Promise<void> {
    const budget = this.#budget;
    const { spec } = this.#base;
    const passes = (budget.kind === 'passes' ? budget.passes : spec.steps / spec.stepsPerEpoch) / 3;
    const tuned: MethodChoice[] = [];
    for (const choice of this.#choices) {
      const wanted = isUntuned(choice, this.#base.job) && choice.sampling === undefined && !stop.aborted;
      if (!wanted || this.#hasFailed(choice.label)) {
        tuned.push(choice);
        continue;
      }
      const folder = RunFolder.within(this.#folder, `tune-${slug(choice.label)}`);
      folder.make();
      const found = await tuneChoice(choice, passes, {
        ...{ path: this.#path, overrides: overridesIn(this.#given), base: this.#base },
        ...{ clusters: [this.#cluster], folder, stop, line: (text) => this.#screen.line(text) },
        onTrained: ({ point, loss }) =>
          this.#screen.bottom(`${choice.label}: learning rate ${point.learningRate}  loss ${lossText(loss)}`),
      });
      this.#screen.line(`${choice.label}: ${describeRate(found, this.#base.job)}`);
      tuned.push(found);
    }
    this.#choices = tuned;
  }

  /** A method that the job refuses, or that fails while it trains, is told of and not tried again. */
  async #attempt<T>(
    { label }: MethodChoice,
    work: () => Promise<T>,
    stop?: AbortSignal,
  ): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TributaryError) || stop?.aborted) {
        if (stop?.aborted) return undefined;
        throw error;
      }
      const reason = asTributaryError(error).line;
      this.#failures.push({ method: label, reason });
      this.#screen.line(`${label}: ${reason}`);
      return undefined;
    }
  }

  #prepare(choice: MethodChoice, seed: number): Promise<PreparedJob> {
    const { trainSize } = this.#base.spec;
    return prepareJob(this.#path, { ...overridesIn(this.#given), seed }, (job) =>
      methodJob(job, choice, this.#budget, trainSize),
    );
  }

  async #train(choice: MethodChoice, seed: number, stop: AbortSignal): Promise<Trial | undefined> {
    const { label } = choice;
    const number = this.#trials.length + 1;
    return runTrial({
      ...{ method: label, budget: this.#budget, cluster: this.#cluster, stop },
      prepared: await this.#prepare(choice, seed),
      folder: RunFolder.within(this.#folder, `${slug(label)}-seed${seed}`),
      line: (text) => this.#screen.line(text),
      onProgress: (fraction, progress) =>
        this.#screen.bottom(this.#progressLine(number, label, seed, fraction, progress)),
    });
  }

  #progressLine(
    number: number,
    label: string,
    seed: number,
    fraction: number,
    progress: RunProgress,
  ): string {
    const all = (this.#choices.length - this.#failures.length) * this.#given.seeds;
    const { accuracy, loss } = progress.now();
    return [
      `${number}/${all}`,
      progressBar(fraction),
      `${label} seed ${seed}`,
      `${progress.passes.toFixed(1)} passes`,
      `loss ${Number.isNaN(loss) ? '-' : lossText(loss)}`,
      ...(accuracy === undefined ? [] : [percent(accuracy)]),
    ].join('  ');
  }

  #hasFailed(label: string): boolean {
    return this.#failures.some(({ method }) => method === label);
  }

  #target(): number {
    return this.#given.targetLoss ?? middleTarget(this.#trials);
  }

  #results() {
    return compareTrials(this.#trials, this.#target());
  }

  #choice() {
    const { spec, job } = this.#base;
    return chooseMethod(this.#results(), this.#failures, {
      ...{ parameters: this.#base.shape.layout.length, trainSize: spec.trainSize, target: this.#target() },
      ...{
        processors: availableParallelism(),
        budget: describeBudget(this.#budget),
        seeds: this.#given.seeds,
      },
      evaluatedOn: job.data.test === undefined ? 'train' : 'test',
      untuned: this.#choices
        .filter((choice) => isUntuned(choice, job))
        .map(({ label }) => label)
        .filter((label) => !this.#hasFailed(label)),
    });
  }

  #rates(): string {
    const rates = this.#choices
      .filter(({ optimizer }) => hasLearningRate(optimizer.name))
      .map((choice) => `${choice.label}: ${describeRate(choice, this.#base.job)}`);
    return rates.length === 0 ? 'none of these methods has one' : rates.join('; ');
  }

  #write(): void {
    const { spec, job, shape, file } = this.#base;
    const { servers, workers } = this.#given;
    const budget = describeBudget(this.#budget);
    this.#folder.writeJson('compare.json', this.result());
    this.#folder.write(
      'report.html',
      compareReport({
        title: `${spec.name}: ${this.#choices
          .map(({ optimizer }) => optimizer.name)
          .filter((name, index, all) => all.indexOf(name) === index)
          .join(', ')}`,
        under: `Methods compared with ${budget}, ${this.#given.seeds} ${this.#given.seeds === 1 ? 'seed' : 'seeds'} each, ${new Date().toISOString().slice(0, 10)}`,
        methods: this.#choices.map(({ label }) => label),
        ...{
          trials: this.#trials,
          results: this.#results(),
          failures: this.#failures,
          choice: this.#choice(),
          target: this.#target(),
        },
        evaluatedOn: job.data.test === undefined ? 'train' : 'test',
        facts: [
          ['job', file],
          ...(spec.options === undefined
            ? []
            : [
                [
                  'options',
                  Object.entries(spec.options)
                    .map(([name, value]) => `${name} ${value}`)
                    .join(', '),
                ] as const,
              ]),
          [
            'model',
            `${shape.layout.length.toLocaleString('en-US')} parameters in ${shape.layout.tensors.length} tensors`,
          ],
          [
            'data',
            `${spec.trainSize.toLocaleString('en-US')} training examples, ${spec.ranks} ranks x ${spec.batchSize} a step unless a method says otherwise`,
          ],
          ['cluster', `${servers} servers, ${workers} workers, staleness ${spec.staleness ?? 'infinity'}`],
          ['learning rates', this.#rates()],
          ['machine', describeMachine()],
        ],
      }),
    );
  }
}

function budgetOf({ budgetPasses, budgetSeconds }: CompareFlags, { spec }: PreparedJob): Budget {
  if (budgetSeconds !== undefined) return { kind: 'seconds', seconds: budgetSeconds };
  return { kind: 'passes', passes: budgetPasses ?? spec.steps / spec.stepsPerEpoch };
}

function describeBudget(budget: Budget): string {
  if (budget.kind === 'seconds') return `${budget.seconds} s of training`;
  return `${Number(budget.passes.toPrecision(3))} passes over the data`;
}

/** It has a learning rate, and nobody chose it for this job. */
function isUntuned({ optimizer: { name, hyperparameters } }: MethodChoice, job: Job): boolean {
  return hasLearningRate(name) && name !== job.optimizer.name && hyperparameters.learningRate === undefined;
}

/** The learning rate of a method, and who chose it. */
function describeRate({ label, optimizer: { name, hyperparameters } }: MethodChoice, job: Job): string {
  const { learningRate } = hyperparameters;
  if (learningRate !== undefined)
    return `${learningRate} (${label.includes('learningRate=') ? 'as said' : 'searched'})`;
  const own = name === job.optimizer.name ? job.optimizer.hyperparameters.learningRate : undefined;
  return own === undefined ? `${defaultLearningRate(name)} (default)` : `${own} (the job's)`;
}

function trialLine({ method, seed, loss, accuracy, trainMs, passes }: Trial): string {
  const right = accuracy === null ? '' : `  accuracy ${percent(accuracy)}`;
  return `${method} seed ${seed}: loss ${lossText(loss)}${right}  ${ms(trainMs)}  ${passes.toFixed(1)} passes`;
}

const lossText = number;

/** A label as the name of a folder. */
function slug(label: string): string {
  return label.replace(/[^\w.-]+/g, '-').replace(/-+$/, '');
}

import { transportChoices } from '@tributary/client/transport/transport.ts';
import { pullEncodings } from '@tributary/core/codec/pullEncodings.ts';
import { type CodecName, codecs } from '@tributary/core/codec/table.ts';
import type { PullEncoding } from '@tributary/core/job/JobSpec.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type { OptionValues } from '@tributary/worker/job/JobOptions.ts';
import { InvalidArgumentError, Option } from 'commander';

/* Flags that several commands share: one wording, one check. */

export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least || text.trim() === '') {
      throw new InvalidArgumentError(`It must be a whole number, ${least} or more.`);
    }
    return value;
  };
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

function stalenessBound(text: string): number {
  return /^inf(inity)?$/i.test(text) ? Number.POSITIVE_INFINITY : wholeNumber(0)(text);
}

function coordinatorUrl(text: string): string {
  if (/^rediss?:\/\/.+/.test(text) || /^sqlite:.+/.test(text)) return text;
  throw new InvalidArgumentError('It must be redis://HOST:PORT or sqlite:PATH.');
}

/** The last colon parts the port; an address of IPv6 has others, and stands in brackets. */
export function listenAddress(text: string): string {
  const port = /^(?:\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/.exec(text)?.[1];
  if (/^unix:.+/.test(text) || (port !== undefined && Number(port) < 65536)) return text;
  throw new InvalidArgumentError('It must be HOST:PORT, such as 0.0.0.0:7070.');
}

export function unixAddress(text: string): string {
  if (/^unix:.+/.test(text)) return text;
  throw new InvalidArgumentError('It must be unix:PATH: an aggregator is for the workers of its own host.');
}

export const flags = {
  coordinator: () =>
    new Option(
      '--coordinator <url>',
      'where the cluster agrees: redis://HOST:PORT, or sqlite:PATH on one machine',
    )
      .env('TRIBUTARY_COORDINATOR')
      .argParser(coordinatorUrl),
  job: () => new Option('--job <id>', 'name of the job at the coordinator'),
  servers: () => new Option('--servers <n>', 'server processes').argParser(wholeNumber(1)).default(2),
  workers: () => new Option('--workers <n>', 'worker processes').argParser(wholeNumber(1)).default(2),
  leaseMs: () =>
    new Option('--lease-ms <ms>', 'a process that is silent for so long is taken for dead')
      .argParser(wholeNumber(100))
      .default(limits.leaseMs),
  compute: () =>
    new Option('--compute <backend>', 'what runs the gradients')
      .choices(['auto', 'native', 'reference'])
      .default('auto'),
  computeThreads: () =>
    new Option('--compute-threads <n>', 'threads of one worker for its gradients')
      .argParser(wholeNumber(1))
      .default(1),
  tlsCa: () =>
    new Option('--tls-ca <file>', 'certificate of the authority that the whole cluster believes, PEM'),
  tlsCert: () => new Option('--tls-cert <file>', 'certificate of this process, PEM'),
  tlsKey: () => new Option('--tls-key <file>', 'its key, PEM'),
  transport: () =>
    new Option('--transport <endpoint>', 'what carries gradients and parameters; both speak gRPC')
      .choices([...transportChoices])
      .default('auto'),
  noSelfCheck: () => new Option('--no-self-check', 'do not compare the backends on the first batch'),
  run: () =>
    new Option('--run <folder>', 'a run folder (default: the newest)').conflicts([
      'coordinator',
      'job',
      'from',
    ]),
  runs: () => new Option('--runs <folder>', 'where run folders are kept').default('runs'),
  printEvery: () =>
    new Option('--print-every <steps>', 'print the loss each so many steps').argParser(wholeNumber(1)),
  trace: () =>
    new Option(
      '--trace <file>',
      'write what took how long, to be opened by ui.perfetto.dev or chrome://tracing',
    ),
  /** Of a process that a launcher started: it gets its jobs from there. */
  managed: () => new Option('--managed').hideHelp().implies({ coordinator: '', job: '' }),
  json: () => new Option('--json', 'print exactly one JSON object on standard output'),
} as const;

/** Flags that say otherwise than the job file. */
export const overrideFlags = () => [
  new Option('--seed <n>', 'of the first parameters and of the order of the data').argParser(wholeNumber(0)),
  new Option('--epochs <n>', 'passes over the data').argParser(positiveNumber),
  new Option('--steps <n>', 'steps of every rank, instead of epochs')
    .argParser(wholeNumber(1))
    .conflicts('epochs'),
  new Option('--ranks <n>', 'logical replicas, shared out over the workers').argParser(wholeNumber(1)),
  new Option('--batch-size <n>', 'examples of one rank at one step').argParser(wholeNumber(1)),
  new Option(
    '--staleness <s>',
    '0: synchronous; s: so many steps ahead at most; infinity: asynchronous',
  ).argParser(stalenessBound),
  new Option('--encoding <name>', 'how gradients travel; all but f32 round them').choices(
    Object.keys(codecs),
  ),
  new Option('--pull-encoding <name>', 'how parameters travel; all but f32 round them').choices(
    pullEncodings,
  ),
  new Option('--checkpoint-every <steps>', 'steps between checkpoints; 0: at the end only').argParser(
    wholeNumber(0),
  ),
  new Option(
    '--evaluate-every <steps>',
    'steps between evaluations on the test data; 0: at the end only',
  ).argParser(wholeNumber(0)),
  new Option(
    '--start-from <place>',
    'trained parameters to start from: a safetensors or ONNX file, a run folder, or redis://HOST:PORT#JOB',
  ).conflicts('resume'),
];

export interface OverrideFlags {
  readonly seed?: number;
  readonly epochs?: number;
  readonly steps?: number;
  readonly ranks?: number;
  readonly batchSize?: number;
  readonly staleness?: number;
  readonly encoding?: CodecName;
  readonly pullEncoding?: PullEncoding;
  readonly checkpointEvery?: number;
  readonly evaluateEvery?: number;
  readonly startFrom?: string;
  /** Of the job file. */
  readonly options?: OptionValues;
}

/** Of commands that start many trainings: what each is started with. Of the flags that say otherwise than the job file, only those named. */
export const trialFlags = (overrides: readonly (keyof OverrideFlags)[]) => [
  flags.servers(),
  flags.workers(),
  flags.runs(),
  ...overrideFlags().filter((option) => overrides.includes(option.attributeName() as keyof OverrideFlags)),
  flags.compute(),
  flags.computeThreads(),
  flags.noSelfCheck(),
  flags.transport(),
  flags.leaseMs(),
  new Option('--verbose', 'show what every process says'),
  flags.json(),
];

/** The override flags among those of a command. */
export function overridesIn(given: OverrideFlags): OverrideFlags {
  const names = [
    'seed',
    'epochs',
    'steps',
    'ranks',
    'batchSize',
    'staleness',
    'encoding',
    'pullEncoding',
    'checkpointEvery',
    'evaluateEvery',
    'startFrom',
    'options',
  ] as const;
  return Object.fromEntries(
    names.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]),
  );
}

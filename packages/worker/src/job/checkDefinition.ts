import { pullEncodings } from '@tributary/core/codec/pullEncodings.ts';
import { createCodec } from '@tributary/core/codec/table.ts';
import { nearestName } from '@tributary/core/errors/nearestName.ts';
import { showValue } from '@tributary/core/errors/showValue.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { PullEncoding, ScheduleSpec } from '@tributary/core/job/JobSpec.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { resolveAdaptiveBatch } from '@tributary/core/optimizer/adaptiveBatch.ts';
import type { Method } from '@tributary/core/optimizer/Optimizer.ts';
import { checkSchedule } from '@tributary/core/optimizer/schedule.ts';
import { optimizers } from '@tributary/core/optimizer/table.ts';
import { z } from 'zod';
import type { DataSource } from '../data/Dataset.ts';
import { checkOptimizer, isStepMethod } from '../methods/table.ts';
import { codecSpecs, type GradientEncoding, isEncoding } from './encodings.ts';
import type { Job, JobDefinition } from './Job.ts';
import { constant } from './schedules.ts';

/** A value that satisfies `is`; `possible` completes the sentence "... must be". */
const value = <T>(is: (found: unknown) => boolean, possible: string) => z.custom<T>(is, { error: possible });

const isWhole = (found: unknown, least: number, most: number) =>
  Number.isInteger(found) && (found as number) >= least && (found as number) <= most;
const whole = (least: number, most: number) =>
  value<number>((found) => isWhole(found, least, most), `a whole number from ${least} to ${most}`);
const isPositive = (found: unknown) => Number.isFinite(found) && (found as number) > 0;
const positive = value<number>(isPositive, 'a number above 0');
const fn = value<never>((found) => typeof found === 'function', 'a function');

const dataSource = value<DataSource>(
  (found) => typeof (found as DataSource | undefined)?.open === 'function',
  'a data source, such as csv(...), idx(...), jsonLines(...) or inMemory(...)',
);

const text = value<string>((found) => typeof found === 'string' && found !== '', 'a text');
const patterns = z.array(text, { error: "a list of patterns of parameter names, such as ['head*']" });

const spec = (numbers: 'hyperparameters' | 'options', made: string) =>
  z.strictObject(
    {
      name: value<string>((found) => typeof found === 'string', 'a name'),
      [numbers]: z.record(z.string(), z.unknown(), { error: 'an object' }),
    },
    { error: `made by ${made}, or an object { name, ${numbers} }` },
  );

const { elementsMax, ranksMax } = limits;

const boolean = value<boolean>((found) => typeof found === 'boolean', 'true or false');
const isText = (found: unknown) => typeof found === 'string' && found !== '';
const tensorRule = z.strictObject(
  {
    match: value<string | string[]>(
      (found) => isText(found) || (Array.isArray(found) && found.length > 0 && found.every(isText)),
      'a name or pattern such as "dense*", or a list of them',
    ),
    frozen: boolean.optional(),
    frozenUntil: whole(0, elementsMax).optional(),
    learningRateScale: positive.optional(),
    weightDecay: boolean.optional(),
  },
  { error: 'a rule { match, frozen?, frozenUntil?, learningRateScale?, weightDecay? }' },
);

const definition = z.strictObject(
  {
    name: value<string>(
      (found) => typeof found === 'string' && isJobName(found),
      'words of small letters and digits joined by hyphens, such as "house-prices"',
    ).optional(),
    model: z.strictObject(
      {
        ...{ init: fn, loss: fn, outputs: fn.optional(), outputLoss: fn.optional() },
        ...{ accuracy: fn.optional(), predict: fn.optional(), states: fn.optional() },
      },
      { error: 'an object { init(key), loss(parameters, batch) }' },
    ),
    data: z.strictObject(
      { train: dataSource, test: dataSource.optional() },
      { error: 'an object { train, test? } of data sources' },
    ),
    optimizer: spec('hyperparameters', 'a constructor such as adam({ learningRate: 1e-3 })'),
    schedule: spec('options', 'a constructor such as cosine({ ... })').default(constant() as never),
    clipping: z
      .strictObject(
        {
          value: positive.optional(),
          norm: value<number>(isPositive, 'a number above 0 (Pascanu, Mikolov & Bengio, 2013)').optional(),
        },
        { error: 'an object { value?, norm? }' },
      )
      .default({}),
    averaging: value<number>(
      (found) => typeof found === 'number' && found >= 0 && found < 1,
      'a number from 0 to below 1 (Polyak & Juditsky, 1992)',
    ).optional(),
    tensors: z.array(tensorRule, { error: 'a list of rules { match, ... }' }).optional(),
    encoding: value<GradientEncoding>(
      (found) =>
        isEncoding(found) ||
        (typeof found === 'object' && found !== null && Object.values(found).every(isEncoding)),
      `the name of an encoding, topk({ ... }), or an object with one for each pattern of tensor names`,
    ).default('f32'),
    pullEncoding: value<Job['pullEncoding']>(
      (found) => pullEncodings.includes(found as PullEncoding),
      `'f32', 'bf16', 'f16' or 'delta'`,
    ).default('f32'),
    epochs: positive.optional(),
    steps: whole(1, elementsMax).optional(),
    passesMax: positive.optional(),
    sampling: value<Job['sampling']>(
      (found) => found === 'shuffled' || found === 'full',
      `'shuffled' or 'full'`,
    ).default('shuffled'),
    lastBatch: value<Job['lastBatch']>(
      (found) => ['dropped', 'short', 'padded'].includes(found as string),
      `'dropped', 'short' or 'padded'`,
    ).default('dropped'),
    batchSize: whole(1, elementsMax).optional(),
    accumulate: whole(1, elementsMax).optional(),
    adaptiveBatch: z
      .record(z.string(), z.unknown(), { error: 'an object { stepsMax?, memory?, rate? }' })
      .optional(),
    start: z
      .strictObject(
        {
          from: text.optional(),
          map: z
            .record(z.string(), text, {
              error: "an object of patterns, such as { 'conv*': 'features.conv*' }",
            })
            .optional(),
          transpose: patterns.optional(),
          reinitialise: patterns.optional(),
        },
        { error: 'an object { from?, map?, transpose?, reinitialise? }' },
      )
      .optional(),
    seed: whole(0, elementsMax).default(1),
    ranks: whole(1, ranksMax).default(8),
    staleness: value<number>(
      (found) => found === Number.POSITIVE_INFINITY || isWhole(found, 0, elementsMax),
      `a whole number from 0 to ${elementsMax}, or Infinity`,
    ).default(0),
    learningRateByStaleness: boolean.optional(),
    delayCompensation: value<number>(
      isPositive,
      'a number above 0 (lambda of Zheng et al., 2017)',
    ).optional(),
    pullAhead: boolean.optional(),
    checkpointEverySteps: whole(0, elementsMax).optional(),
    checkpointsKept: whole(1, 1000).default(limits.checkpointsKept),
    evaluateEverySteps: whole(0, elementsMax).optional(),
    measureNoise: boolean.optional(),
    rejectedMax: whole(0, elementsMax).default(8),
    printEverySteps: whole(1, elementsMax).optional(),
  },
  { error: 'an object of the fields of a job' },
);

/** Words of small letters and digits joined by hyphens. */
export function isJobName(name: string): boolean {
  return name.length <= 64 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name);
}

/** The job that a definition describes, with defaults in place. Throws INVALID_ARGUMENT naming every wrong field. */
export function checkDefinition(given: JobDefinition): Job {
  const parsed = definition.safeParse(given);
  const problems = parsed.success
    ? contradictions(parsed.data as unknown as Job)
    : parsed.error.issues.flatMap((issue) => describe(issue, given));
  if (problems.length > 0) {
    throw new TributaryError('INVALID_ARGUMENT', `the job is not valid: ${problems.join('; ')}`);
  }
  return parsed.data as unknown as Job;
}

/** What the shapes of the fields do not show: hyperparameters, and fields that do not go together. */
function contradictions(job: Job): string[] {
  const { optimizer, schedule, epochs, steps, sampling, batchSize, lastBatch } = job;
  const problems = [
    ...refusal(() =>
      checkOptimizer(job.averaging === undefined ? optimizer : { ...optimizer, averageKeep: job.averaging }),
    ),
    ...refusal(() => checkSchedule(schedule)),
    ...encodingProblems(job),
    ...adaptiveBatchProblems(job),
  ];
  if (epochs === undefined && steps === undefined) problems.push('epochs or steps is missing');
  if (epochs !== undefined && steps !== undefined) problems.push('epochs and steps are both given: give one');
  if (sampling === 'shuffled' && batchSize === undefined) {
    problems.push('batchSize is missing, but must be the number of examples in the minibatch of one rank');
  }
  if (batchSize !== undefined && (job.accumulate ?? 1) > batchSize) {
    problems.push(
      `accumulate is ${job.accumulate}, but a minibatch has ${batchSize} examples: it must not be more`,
    );
  }
  if (sampling === 'full' && batchSize !== undefined) {
    problems.push(
      `batchSize is ${batchSize}, but with sampling 'full' the ranks share out all examples: leave it out`,
    );
  }
  if (sampling === 'full' && lastBatch !== 'dropped') {
    problems.push(`lastBatch is '${lastBatch}', but with sampling 'full' every step sees all: leave it out`);
  }
  if (serverMethod(optimizer.name)?.constantRate && isScheduled(schedule)) {
    problems.push(`a schedule is given, but ${optimizer.name} has its own: leave it out`);
  }
  if (job.staleness !== 0 && (schedule.name === 'plateau' || optimizer.name === 'prodigy')) {
    const name = schedule.name === 'plateau' ? 'the schedule plateau' : 'prodigy';
    problems.push(
      `staleness is ${job.staleness}, but ${name} goes by sums over whole steps: leave it out, or set it to 0`,
    );
  }
  problems.push(...tensorContradictions(job), ...latenessContradictions(job));
  return isStepMethod(optimizer) ? [...problems, ...stepMethodContradictions(job)] : problems;
}

function adaptiveBatchProblems(job: Job): string[] {
  const { adaptiveBatch, optimizer, ranks, staleness, sampling, tensors = [] } = job;
  if (adaptiveBatch === undefined) return [];
  const problems = refusal(() => resolveAdaptiveBatch(adaptiveBatch));
  if (problems.length > 0) return problems;
  const because = (reason: string) => problems.push(`adaptiveBatch is given, but ${reason}`);
  if (isStepMethod(optimizer))
    because(`${optimizer.name} makes one step of all that the ranks see: leave it out`);
  if (ranks < 2) because('noise shows between ranks, and there is one: give the job more ranks');
  if (staleness !== 0)
    because(`staleness is ${staleness}: it takes the gradients of all ranks at the same step`);
  if (sampling === 'full') because(`with sampling 'full' no gradient has noise: leave it out`);
  if (serverMethod(optimizer.name)?.constantRate && resolveAdaptiveBatch(adaptiveBatch).rate !== 'constant')
    because(`${optimizer.name} has a schedule of its own: leave its rate at 'constant'`);
  if (tensors.some(({ frozenUntil = 0 }) => frozenUntil > 0))
    because(
      'a tensor thaws: the updates since then would not be known, so use frozen or leave frozenUntil out',
    );
  return problems;
}

function isScheduled({ name, options }: ScheduleSpec): boolean {
  return name !== 'constant' || Object.keys(options).length > 0;
}

function latenessContradictions(job: Job): string[] {
  const fields = (['learningRateByStaleness', 'delayCompensation'] as const).filter((field) => job[field]);
  const problems = fields.flatMap((field) =>
    job.staleness === 0 ? [`${field} is given, but with staleness 0 no gradient is late: leave it out`] : [],
  );
  if (job.learningRateByStaleness && serverMethod(job.optimizer.name)?.constantRate) {
    problems.push(
      `learningRateByStaleness is given, but ${job.optimizer.name} has a schedule of its own: leave it out`,
    );
  }
  if (job.pullAhead && job.staleness === 0) {
    problems.push(
      'pullAhead is given, but with staleness 0 the next parameters wait for all gradients: leave it out',
    );
  }
  return problems;
}

/** The method of this name that servers apply, if it is one. */
function serverMethod(name: string): Method | undefined {
  return Object.hasOwn(optimizers, name) ? optimizers[name as keyof typeof optimizers] : undefined;
}

function tensorContradictions({ tensors = [], optimizer: { name } }: Job): string[] {
  const problems = tensors.flatMap(({ frozen, frozenUntil }, index) =>
    frozen !== undefined && frozenUntil !== undefined
      ? [`tensors.${index}.frozen and tensors.${index}.frozenUntil are both given: give one`]
      : [],
  );
  const options = serverMethod(name)?.hyperparameters;
  if (
    options !== undefined &&
    !('weightDecay' in options) &&
    tensors.some((rule) => rule.weightDecay !== undefined)
  ) {
    problems.push(`tensors say weightDecay, but ${name} has none: leave it out`);
  }
  return problems;
}

function encodingProblems({ encoding, pullEncoding, staleness, optimizer: { name } }: Job): string[] {
  const specs = codecSpecs(encoding);
  const problems = specs.flatMap((spec) => refusal(() => createCodec(spec)));
  if (problems.length > 0) return problems;
  const codecs = specs.map(createCodec);
  if (
    isStepMethod({ name, hyperparameters: {} }) &&
    (pullEncoding !== 'f32' || codecs.some((codec) => !codec.lossless))
  )
    return [`an encoding is given, but ${name} pushes and pulls exact steps: leave it out`];
  if (pullEncoding === 'delta' && staleness !== 0)
    return [
      `pullEncoding is 'delta', which is the change from one step to the next, but staleness is ${staleness}: set it to 0, or pull 'bf16'`,
    ];
  if (name !== 'sgd' && codecs.some(({ momentum }) => momentum > 0))
    return [
      `encoding "topk" corrects the momentum of plain sgd, but the optimizer is ${name}: set its momentum to 0`,
    ];
  return [];
}

/** A method that computes whole steps needs all ranks at the same step, and no server touches what it pushes. */
function stepMethodContradictions(job: Job): string[] {
  const {
    model,
    optimizer: { name, hyperparameters },
    schedule,
    clipping,
    staleness,
    tensors,
    averaging,
  } = job;
  const problems: string[] = [];
  const missing = (['outputs', 'outputLoss'] as const).filter((part) => model[part] === undefined);
  if (hyperparameters.gaussNewton === true && missing.length > 0) {
    const names = missing.map((part) => `model.${part}`).join(' and ');
    problems.push(
      `${names} ${missing.length > 1 ? 'are' : 'is'} missing, but ${name} with gaussNewton needs them`,
    );
  }
  if (averaging !== undefined) {
    problems.push(`averaging is given, but ${name} has no noise to average out: leave it out`);
  }
  if (name === 'quantum-natural-gradient' && model.states === undefined) {
    problems.push(
      `model.states is missing, but ${name} measures distances by it: states: (parameters, batch) => quantumStates(...)`,
    );
  }
  if (tensors !== undefined && name === 'kfac') {
    problems.push('tensors are given, but kfac inverts the curvature of every dense layer: leave them out');
  }
  for (const [index, rule] of (tensors ?? []).entries()) {
    const others = (['frozenUntil', 'learningRateScale', 'weightDecay'] as const).filter(
      (option) => rule[option] !== undefined,
    );
    for (const option of others)
      problems.push(
        `tensors.${index}.${option} is given, but ${name} computes one step for all that is not frozen: leave it out`,
      );
  }
  if (staleness !== 0) {
    problems.push(
      `staleness is ${staleness}, but ${name} sums over all ranks at the same step: leave it out, or set it to 0`,
    );
  }
  if (isScheduled(schedule)) {
    problems.push(`a schedule is given, but ${name} takes none: leave it out`);
  }
  if (clipping.value !== undefined || clipping.norm !== undefined) {
    problems.push(`clipping is given, but ${name} bounds its steps itself: leave it out`);
  }
  return problems;
}

/** The line of the error that `check` throws, if it throws one that a user can meet. */
function refusal(check: () => unknown): string[] {
  try {
    check();
    return [];
  } catch (error) {
    if (error instanceof TributaryError) return [error.line];
    throw error;
  }
}

function describe(issue: z.core.$ZodIssue, given: unknown): string[] {
  if (issue.code === 'unrecognized_keys') {
    const [outer] = issue.path;
    const known = fieldNames(
      outer === undefined ? definition : definition.shape[outer as keyof JobDefinition],
    );
    return issue.keys.map((key) => {
      const nearest = nearestName(key, known);
      const full = (name: string) => [...issue.path, name].join('.');
      return `${full(key)} is not a field of a job${nearest === undefined ? '' : `: did you mean ${full(nearest)}?`}`;
    });
  }
  let found = given;
  for (const key of issue.path) found = (found as Record<PropertyKey, unknown>)[key];
  const path = issue.path.length === 0 ? 'the definition' : issue.path.join('.');
  const what = found === undefined ? 'is missing' : `is ${showValue(found)}`;
  return [`${path} ${what}, but must be ${issue.message}`];
}

function fieldNames(schema: z.core.$ZodType): string[] {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodArray) {
    return fieldNames(schema.unwrap());
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { init, numpy as np } from '@jax-js/jax';
import { invariant } from '@tributary/core/errors/invariant.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { type OptionTable, resolveOptions } from '@tributary/core/optimizer/options.ts';
import { optimizers } from '@tributary/core/optimizer/table.ts';
import { createJobSpec } from '@tributary/worker/job/createJobSpec.ts';
import { stepMethods } from '@tributary/worker/methods/table.ts';
import {
  byDepth,
  defineJob,
  distillation,
  hardwareEfficientAnsatz,
  inMemory,
  type JobDefinition,
  quantumLayer,
  sgd,
} from 'tributary';
import { trialFlags } from '../../packages/cli/src/commands/flags.ts';
import { tuneCommand } from '../../packages/cli/src/commands/tune.ts';

/** What the code says of an option that a page tells of. */
export interface OptionRule {
  /** Whether leaving the option out does the same as this. Undefined: it has no default. */
  isDefault(value: unknown): boolean;
  /** Whether it can have this value. */
  accepts(value: unknown): boolean;
}

export type OptionRules = Readonly<Record<string, OptionRule>>;

interface Row {
  readonly source?: string;
  readonly hyperparameters: OptionTable;
}

const methods: Readonly<Record<string, Row>> = { ...optimizers, ...stepMethods };
export const methodNames: readonly string[] = Object.keys(methods);

/** Pages whose method is in the table by another name, or that show a use of one. */
const otherNames: Readonly<Record<string, string>> = {
  'gradient-descent': 'sgd',
  'natural-gradient': 'newton-cg',
  'quantum-step': 'quantum',
};

/** The method of a page, if it is one that a job can name. */
export function methodOf(page: string): (Row & { readonly name: string }) | undefined {
  const name = otherNames[basename(page)] ?? basename(page);
  return Object.hasOwn(methods, name) ? { name, ...methods[name] } : undefined;
}

/** Of what a page is about. */
export async function optionRules(page: string): Promise<OptionRules> {
  const method = methodOf(page);
  if (method !== undefined) return rulesOfTable(method.hyperparameters);
  await init('wasm');
  const rules = rulesByPage[page];
  invariant(rules !== undefined, `optionRules.ts says where the options of ${page} are`);
  return rules;
}

function rulesOfTable(table: OptionTable): OptionRules {
  return Object.fromEntries(
    Object.entries(table).map(([name, { initial }]) => [
      name,
      {
        isDefault: (value) => value === initial,
        accepts: succeeds((value) => resolveOptions('it', table, { [name]: value })),
      },
    ]),
  );
}

const inherited = trialFlags(['seed', 'ranks', 'batchSize', 'staleness', 'startFrom']).map(
  ({ long }) => long,
);

/** The flags that `tributary tune` has for itself. */
const tuneFlags: OptionRules = Object.fromEntries(
  tuneCommand()
    .options.filter(({ long }) => !inherited.includes(long))
    .map(({ long, defaultValue, parseArg }) => [
      long!,
      {
        isDefault: (value) => value === defaultValue,
        accepts: succeeds((value) => parseArg?.(String(value), undefined)),
      },
    ]),
);

function specOf(fields: Partial<JobDefinition>): JobSpec {
  const job = defineJob({
    model: { init: () => ({ a: np.zeros([1]), b: np.zeros([1]) }), loss: () => np.zeros([]) },
    ...{
      data: { train: inMemory({ x: [0, 1, 2, 3, 4, 5, 6, 7] }) },
      optimizer: sgd(),
      batchSize: 1,
      epochs: 1,
    },
    ...fields,
  });
  const layout = createLayout(['a', 'b'].map((name) => ({ name, shape: [1] })));
  return createJobSpec({ ...job, name: 'it' }, layout, 8);
}

/** An option that ends up in a job. */
function inJob(fields: (value: unknown) => Partial<JobDefinition>): OptionRule {
  return {
    isDefault: (value) => isDeepStrictEqual(specOf(fields(value)), specOf(fields(undefined))),
    accepts: succeeds((value) => specOf(fields(value))),
  };
}

const jobField = (name: string) => inJob((value) => ({ [name]: value }));
/** Gradients are late only where ranks may run ahead. */
const lateField = (name: string) => inJob((value) => ({ staleness: 1, [name]: value }));
const startField = (name: string) => inJob((value) => ({ start: { [name]: value } }));
const batchOption = (name: string) => inJob((value) => ({ adaptiveBatch: { [name]: value } }));
const depthOption = (name: string) => inJob((value) => ({ tensors: byDepth(['a', 'b'], { [name]: value }) }));

/** An option of something that computes. */
function inResult(compute: (value: unknown) => unknown): OptionRule {
  return {
    isDefault: (value) => value === undefined || isDeepStrictEqual(compute(value), compute(undefined)),
    accepts: succeeds(compute),
  };
}

const distillationOption = (name: string) =>
  inResult((value) =>
    distillation(np.array([[1, 2, 4]]), np.array([[3, 1, 2]]), np.array([1], { dtype: np.int32 }), {
      [name]: value,
    }).dataSync(),
  );
const ansatzOption = (name: string) =>
  inResult((value) => hardwareEfficientAnsatz({ qubits: 2, layers: 1, [name]: value }));
const layerOption = (name: string) =>
  inResult((value) => {
    const ansatz = hardwareEfficientAnsatz({ qubits: 1, layers: 0, inputs: 1 });
    return quantumLayer(ansatz, np.zeros([1]), np.zeros([1, 1]), { [name]: value }).dataSync();
  });

const pick = (rules: OptionRules, ...names: string[]): OptionRules =>
  Object.fromEntries(names.map((name) => [name, rules[name]]));

const rulesByPage: Readonly<Record<string, OptionRules>> = {
  'adaptive/learning-rate-finder': pick(
    tuneFlags,
    '--rate-from',
    '--rate-to',
    '--rate-steps',
    '--noise-passes',
  ),
  'adaptive/noise-scale': { ...pick(tuneFlags, '--noise-passes'), measureNoise: jobField('measureNoise') },
  'adaptive/successive-halving': pick(
    tuneFlags,
    ...['--search', '--trials', '--eta', '--passes', '--passes-min', '--parallel'],
  ),
  'adaptive/staleness-aware': {
    staleness: jobField('staleness'),
    learningRateByStaleness: lateField('learningRateByStaleness'),
    delayCompensation: lateField('delayCompensation'),
  },
  'adaptive/adaptive-batch': Object.fromEntries(
    ['stepsMax', 'memory', 'rate'].map((name) => [name, batchOption(name)]),
  ),
  'transfer/start-from': Object.fromEntries(
    ['from', 'map', 'transpose', 'reinitialise'].map((name) => [name, startField(name)]),
  ),
  'transfer/by-depth': {
    rateFactor: depthOption('rateFactor'),
    unfreezeEverySteps: depthOption('unfreezeEverySteps'),
  },
  'transfer/distillation': {
    temperature: distillationOption('temperature'),
    labelShare: distillationOption('labelShare'),
  },
  'quantum/variational-circuits': {
    qubits: ansatzOption('qubits'),
    layers: ansatzOption('layers'),
    inputs: ansatzOption('inputs'),
    observables: layerOption('observables'),
    differentiation: layerOption('differentiation'),
  },
};

function succeeds(work: (value: unknown) => unknown): (value: unknown) => boolean {
  return (value) => {
    try {
      work(value);
      return true;
    } catch {
      return false;
    }
  };
}

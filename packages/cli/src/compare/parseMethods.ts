import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { OptimizerSpec } from '@tributary/core/job/JobSpec.ts';
import { checkOptimizer } from '@tributary/worker/methods/table.ts';

/** A method to be compared, as it was asked for. */
export interface MethodChoice {
  /** Its name, and in brackets what was said of it. */
  readonly label: string;
  /** With those hyperparameters that were said. */
  readonly optimizer: OptimizerSpec;
  readonly batchSize?: number;
  readonly sampling?: 'shuffled' | 'full';
}

const example = 'Write names, and options in brackets: "sgd(learningRate=0.1),adam,newton-cg".';

/**
 * Methods from text such as `sgd(learningRate=0.1,batchSize=16),adam`. Besides the hyperparameters of a method, `batchSize` and `sampling` may be said. Throws
 * INVALID_ARGUMENT for what cannot be read, for unknown methods and options with those that there are, and for a method named twice.
 */
export function parseMethods(text: string): MethodChoice[] {
  const choices: MethodChoice[] = [];
  const piece = /\s*([\w-]+)\s*(?:\(([^()]*)\))?\s*(,|$)/y;
  while (piece.lastIndex < text.length || choices.length === 0) {
    const at = piece.lastIndex;
    const match = piece.exec(text);
    if (match === null) throw unreadable(text.slice(at));
    choices.push(methodChoice(match[1], match[2] ?? ''));
  }
  const twice = choices.find(
    ({ label }, index) => choices.findIndex((other) => other.label === label) < index,
  );
  if (twice === undefined) return choices;
  throw new TributaryError('INVALID_ARGUMENT', `--methods names ${twice.label} twice`, {
    hint: 'Several of one method must differ in their options.',
  });
}

function methodChoice(name: string, options: string): MethodChoice {
  const hyperparameters: Record<string, number | boolean | string> = {};
  const fields: { batchSize?: number; sampling?: 'shuffled' | 'full' } = {};
  const words = options.split(/[,\s]+/).filter((word) => word !== '');
  for (const word of words) {
    const [, key, value] = /^(\w+)=(.+)$/.exec(word) ?? [];
    if (key === undefined) throw unreadable(`${name}(${options})`);
    if (key === 'sampling') fields.sampling = samplingOf(value);
    else if (key === 'batchSize') fields.batchSize = Number(value);
    else hyperparameters[key] = optionValue(value);
  }
  const optimizer = { name, hyperparameters };
  checkOptimizer(optimizer);
  return { label: words.length === 0 ? name : `${name}(${words.join(', ')})`, optimizer, ...fields };
}

function optionValue(text: string): number | boolean | string {
  if (text === 'true' || text === 'false') return text === 'true';
  const value = Number(text);
  return Number.isNaN(value) ? text : value;
}

function samplingOf(text: string): 'shuffled' | 'full' {
  if (text === 'shuffled' || text === 'full') return text;
  throw new TributaryError('INVALID_ARGUMENT', `--methods: sampling is "${text}"`, {
    hint: 'It must be shuffled or full.',
  });
}

function unreadable(text: string): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', `--methods cannot be read at "${text}"`, { hint: example });
}

import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { TransferRules } from '@tributary/core/transfer/transferParameters.ts';
import { initialiseJax } from '../autodiff/initialiseJax.ts';
import { initialParameters } from '../autodiff/initialParameters.ts';
import { GradientProgram } from '../compute/GradientProgram.ts';
import { openBackend } from '../compute/openBackend.ts';
import { elementsOf } from '../data/batchArrays.ts';
import type { Batch, DataSource, Dataset } from '../data/Dataset.ts';
import type { Model } from '../job/Model.ts';
import { loadParameters, placeIn } from '../parameters/loadParameters.ts';
import { rulesHint, takeParameters } from '../parameters/takeParameters.ts';

/** A trained model whose outputs are to be learnt: its functions as in a job's model, and where its parameters are, as in a job's start. */
export interface Teacher extends TransferRules {
  readonly from: string;
  readonly model: {
    readonly init: Model['init'];
    /** First dimension the examples, as of `predict`. */
    readonly logits: NonNullable<Model['predict']>;
  };
}

/**
 * The source with one more field, `teacher`: what the teacher answers to each example, for `distillation`.
 *
 * ```ts
 * data: { train: withTeacher(digits, { from: 'runs/large', model: { init, logits: (parameters, { x }) => ... } }) }
 * ```
 *
 * Each process computes an answer the first time that it is asked for, and keeps it: a training of many epochs runs the teacher once. Opening throws as
 * loadParameters and takeParameters do.
 */
export function withTeacher<Name extends string>(
  source: DataSource<Name>,
  teacher: Teacher,
): DataSource<Name | 'teacher'> {
  return {
    description: `${source.description} with the answers of ${teacher.from}`,
    async open(folder = process.cwd()) {
      const examples = await source.open(folder);
      try {
        return await taught(examples, teacher, folder);
      } catch (error) {
        await examples.close();
        throw error;
      }
    },
  };
}

/** Examples that are answered together. Always the same ones, so that the bits of an answer do not depend on who asks when. */
const blockExamples = 64;

async function taught<Name extends string>(
  examples: Dataset<Name>,
  { from, model, ...rules }: Teacher,
  folder: string,
): Promise<Dataset<Name | 'teacher'>> {
  if ('teacher' in examples.fields) {
    throw new TributaryError('INVALID_ARGUMENT', 'the data have a field "teacher" of their own', {
      hint: 'Give it another name: withTeacher adds one of this name.',
    });
  }
  const { program, parameters } = await openTeacher(model, placeIn(folder, from), rules);
  const answers = async (block: number): Promise<{ shape: readonly number[]; data: Float32Array }> => {
    const begin = block * blockExamples;
    const length = Math.min(blockExamples, examples.size - begin);
    const batch = await examples.read(Uint32Array.from({ length }, (_, index) => begin + index));
    const { shape, data } = await program.predict(parameters, batch);
    if (shape[0] === length && data instanceof Float32Array) return { shape: shape.slice(1), data };
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `the teacher's logits for ${length} examples have the shape [${shape.join(', ')}]`,
      { hint: 'They must be float32, their first dimension that of the batch.' },
    );
  };
  const known = new Map<number, ReturnType<typeof answers>>();
  const answersOf = (block: number) => {
    const found = known.get(block) ?? answers(block);
    known.set(block, found);
    return found;
  };
  const { shape } = await answersOf(0);
  const width = elementsOf(shape);
  return {
    size: examples.size,
    fields: { ...examples.fields, teacher: { shape, dtype: 'float32' } },
    async read(asked, fields) {
      const batch = await examples.read(asked, fields);
      if (!(fields?.includes('teacher') ?? true)) return batch as Batch<Name | 'teacher'>;
      const data = new Float32Array(asked.length * width);
      for (const [row, example] of asked.entries()) {
        const block = await answersOf(Math.floor(example / blockExamples));
        const begin = (example % blockExamples) * width;
        data.set(block.data.subarray(begin, begin + width), row * width);
      }
      const teacher = { shape: [asked.length, ...shape], data };
      return { ...batch, teacher } as Batch<Name | 'teacher'>;
    },
    async close() {
      program.dispose();
      await examples.close();
    },
  };
}

async function openTeacher({ init, logits }: Teacher['model'], from: string, rules: TransferRules) {
  const loaded = await loadParameters(from);
  await initialiseJax();
  const model: Model = {
    init,
    predict: logits,
    loss: () => {
      throw new TributaryError('UNIMPLEMENTED', 'a teacher has no loss');
    },
  };
  const { flat, ...shape } = await initialParameters(model, 1);
  const hint = `In withTeacher, ${rulesHint}`;
  const { flat: parameters } = takeParameters(shape.layout, flat, loaded, { rules, hint });
  return { program: new GradientProgram(await openBackend('auto'), model, shape), parameters };
}

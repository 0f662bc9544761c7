import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { GradientProgram } from '@tributary/worker/compute/GradientProgram.ts';
import { type ComputeChoice, openBackend } from '@tributary/worker/compute/openBackend.ts';
import type { Dataset } from '@tributary/worker/data/Dataset.ts';
import { jsonLines } from '@tributary/worker/data/jsonLines.ts';
import type { OptionValues } from '@tributary/worker/job/JobOptions.ts';
import type { NamedJob } from '@tributary/worker/job/loadJob.ts';
import { loadTrainedModel } from '../parameters/loadTrainedModel.ts';
import type { ParameterSource } from '../parameters/parameterPlace.ts';

export interface PredictFlags extends ParameterSource {
  readonly input?: string;
  readonly first: number;
  readonly compute: ComputeChoice;
  /** Of the job file. */
  readonly options: OptionValues;
}

export async function predict(path: string, given: PredictFlags): Promise<void> {
  const { job, shape, flat } = await loadTrainedModel(path, given);
  const examples =
    given.input === undefined
      ? await (job.data.test ?? job.data.train).open()
      : await readExamples(given.input, job);
  const count = Math.min(given.first, examples.size);
  const batch = await examples.read(Uint32Array.from({ length: count }, (_, index) => index));
  const program = new GradientProgram(await openBackend(given.compute), job.model, shape);
  const { shape: outputShape, data } = await program.predict(flat, batch);
  if (outputShape[0] !== count) {
    throw new TributaryError(
      'FAILED_PRECONDITION',
      `predict returned the shape [${outputShape.join(', ')}] for ${count} examples`,
      {
        hint: 'The first dimension of its result must be that of the batch.',
      },
    );
  }
  const length = data.length / count;
  for (let example = 0; example < count; example++) {
    const values = Array.from(data.subarray(example * length, (example + 1) * length));
    const known = Object.entries(batch)
      .filter(([, array]) => array.shape.length === 1)
      .map(([name, array]) => [name, array.data[example]]);
    const line = {
      example,
      prediction: outputShape.length === 1 ? values[0] : values,
      ...Object.fromEntries(known),
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
  program.dispose();
}

/** Examples from a file of JSON lines: those fields of the training data that its first line has. */
async function readExamples(file: string, job: NamedJob): Promise<Dataset> {
  const train = await job.data.train.open();
  const given = Object.keys(await firstLine(file));
  const fields = Object.fromEntries(Object.entries(train.fields).filter(([name]) => given.includes(name)));
  await train.close();
  if (Object.keys(fields).length > 0) return jsonLines(file, { fields }).open(process.cwd());
  throw new TributaryError(
    'INVALID_ARGUMENT',
    `${file}: its first line has none of the fields ${Object.keys(train.fields).join(', ')}`,
    {
      hint: 'Each line is one example: a JSON object with the fields that predict reads.',
    },
  );
}

async function firstLine(file: string): Promise<Record<string, unknown>> {
  const input = createReadStream(file);
  try {
    for await (const line of createInterface({ input })) return JSON.parse(line) as Record<string, unknown>;
    return {};
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new TributaryError(
      missing ? 'NOT_FOUND' : 'INVALID_ARGUMENT',
      missing ? `there is no file ${file}` : `${file}: its first line is not JSON`,
      {
        hint: 'Give a file of JSON lines by --input.',
        cause,
      },
    );
  } finally {
    input.destroy();
  }
}

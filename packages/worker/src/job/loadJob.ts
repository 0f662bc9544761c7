import { stat } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { DataSource } from '../data/Dataset.ts';
import { placeIn } from '../parameters/loadParameters.ts';
import { isJobName } from './checkDefinition.ts';
import { isJob, isJobFamily, type JobFamily } from './defineJob.ts';
import type { Job } from './Job.ts';
import { type JobOptions, type OptionValues, resolveJobOptions } from './JobOptions.ts';

export type NamedJob = Job & { readonly name: string; readonly options?: OptionValues };

/**
 * Imports a job file, and makes the job that `given`, values of its options, asks for. `file` is its absolute path; paths in `job`, of its data and its start, begin at
 * its folder. Throws NOT_FOUND if there is no such file, INVALID_ARGUMENT if it cannot be imported or does not export a job, or if the job has no
 * such options.
 */
export async function loadJob(
  path: string,
  given: OptionValues = {},
): Promise<{ job: NamedJob; file: string }> {
  const file = resolve(path);
  const exported = createdFrom(await importJob(file), given, file);
  const from = (source: DataSource): DataSource => ({
    ...source,
    open: (folder = dirname(file)) => source.open(folder),
  });
  const { train, test } = exported.data;
  const data = test === undefined ? { train: from(train) } : { train: from(train), test: from(test) };
  const start = exported.start && { start: startAt(exported.start, dirname(file)) };
  return { job: { ...exported, ...start, data, name: exported.name ?? nameOf(file) }, file };
}

function startAt(start: NonNullable<Job['start']>, folder: string): NonNullable<Job['start']> {
  const { from } = start;
  return from === undefined ? start : { ...start, from: placeIn(folder, from) };
}

/** The options of the job in a file; none if it leaves nothing open. Throws as loadJob does. */
export async function loadJobOptions(path: string): Promise<JobOptions> {
  const exported = await importJob(resolve(path));
  return isJobFamily(exported) ? exported.options : {};
}

async function importJob(file: string): Promise<Job | JobFamily> {
  await assertJobFile(file);
  let exported: unknown;
  try {
    exported = (await import(pathToFileURL(file).href)).default;
  } catch (error) {
    throw importFailure(file, error);
  }
  if (!isJob(exported) && !isJobFamily(exported)) throw notAJob(file, exported);
  return exported;
}

function createdFrom(exported: Job | JobFamily, given: OptionValues, file: string): Job {
  if (!isJobFamily(exported)) {
    resolveJobOptions({}, given);
    return exported;
  }
  try {
    return exported.create(given);
  } catch (error) {
    throw importFailure(file, error);
  }
}

async function assertJobFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile()) return;
  throw new TributaryError(
    'NOT_FOUND',
    found === undefined ? `there is no job file ${file}` : `${file} is not a file`,
    {
      hint: 'Give the path of a TypeScript file that default-exports defineJob({ ... }).',
    },
  );
}

function notAJob(file: string, exported: unknown): TributaryError {
  const what =
    exported === undefined ? 'has no default export' : 'has a default export that defineJob did not make';
  return new TributaryError('INVALID_ARGUMENT', `${file} ${what}`, {
    hint: 'Write: export default defineJob({ ... }), with defineJob imported from tributary.',
  });
}

/** What Node's loader or the file itself threw, in one line that says where and what to do. */
function importFailure(file: string, error: unknown): TributaryError {
  const failure = (message: string, hint?: string) =>
    new TributaryError(
      'INVALID_ARGUMENT',
      message,
      hint === undefined ? { cause: error } : { cause: error, hint },
    );
  if (!(error instanceof Error)) return failure(`${file} threw ${String(error)} when it was imported`);
  const place = placeOf(error, file) ?? file;
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof TributaryError) return failure(`${place}: ${error.message}`, error.hint);
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') {
    return failure(
      `${file} cannot be imported: ${error.message}`,
      error.message.includes('package')
        ? 'Install the package beside the job file with npm install, or correct its name.'
        : 'Correct the path; a relative import ends with the extension of the file, such as ./data.ts.',
    );
  }
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return failure(
      `${place}: ${error.message}`,
      'Node runs TypeScript by leaving the types out: enums, namespaces and parameter properties are not possible.',
    );
  }
  if (error instanceof SyntaxError)
    return failure(
      `${place}: ${error.name}: ${error.message}`,
      'Correct the file; an editor or tsc shows the place.',
    );
  return failure(
    `${place}: ${error.name}: ${error.message}`,
    'The file threw this error when it was imported.',
  );
}

/** Where in the job file, else in which file that it imports, the error arose, as path:line or path:line:column. */
function placeOf(error: Error, file: string): string | undefined {
  const stack = error.stack ?? '';
  // TypeScript that does not parse: Node puts the place on a line of its own before the error.
  const unparsed = /^(\/[^\n]+:\d+)\n/.exec(stack)?.[1];
  if (unparsed !== undefined) return unparsed;
  const places = [...stack.matchAll(/file:\/\/(\/[^\s)]+?:\d+(?::\d+)?)(?=[\s)]|$)/gm)].map(([, place]) =>
    decodeURI(place),
  );
  return places.find((place) => place.startsWith(`${file}:`)) ?? places[0];
}

/** The name of the file, or of its folder where the file is just `job`. */
function nameOf(file: string): string {
  const stem = basename(file, extname(file));
  const word = stem === 'job' ? basename(dirname(file)) : stem;
  const name = word
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return isJobName(name) ? name : 'job';
}

import { existsSync, readFileSync } from 'node:fs';
import type { CheckpointManifest, Coordinator } from '@tributary/coordinator/Coordinator.ts';
import { newestValidCheckpoint } from '@tributary/coordinator/checkpoints/newestValidCheckpoint.ts';
import { readRange } from '@tributary/coordinator/checkpoints/readRange.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import { withoutMethodState } from '@tributary/core/layout/methodState.ts';
import type { OptionValues } from '@tributary/worker/job/JobOptions.ts';
import { RunFolder } from '../runs/RunFolder.ts';
import { assertJob } from './assertJob.ts';

/** Where trained parameters are to come from; the first that is given. */
export interface ParameterSource {
  /** A safetensors file. */
  readonly from?: string;
  /** A job at a coordinator. */
  readonly coordinator?: string;
  readonly job?: string;
  /** A run folder; if not given, the newest one in `runs`. */
  readonly run?: string;
  readonly runs: string;
}

export interface LoadedParameters {
  readonly layout: Layout;
  readonly flat: Float32Array;
  /** For people: where they were found. */
  readonly description: string;
  /** The job file of the run, if they came from a run folder. */
  readonly jobFile: string | undefined;
  /** With which the job was trained, as far as is known. */
  readonly options: OptionValues;
}

/** Throws NOT_FOUND if there is no such file, job, run or checkpoint; DATA_LOSS if every checkpoint is damaged. */
export async function loadParameters(
  source: ParameterSource,
  jobName: string | undefined,
): Promise<LoadedParameters> {
  if (source.from !== undefined) {
    if (!existsSync(source.from)) {
      throw new TributaryError('NOT_FOUND', `there is no file ${source.from}`, {
        hint: 'Give a .safetensors file by --from.',
      });
    }
    return { ...readFile(source.from), description: source.from, jobFile: undefined, options: {} };
  }
  if (source.coordinator !== undefined) {
    if (source.job === undefined && jobName === undefined) {
      throw new TributaryError('INVALID_ARGUMENT', '--coordinator is given without --job', {
        hint: 'Say which job is meant: --job ID.',
      });
    }
    return fromCoordinator(source.coordinator, source.job ?? jobName!, undefined);
  }
  const folder =
    source.run === undefined ? RunFolder.newest(source.runs, jobName) : RunFolder.open(source.run);
  const config = folder.config();
  return fromCoordinator(config.coordinator, config.job, config.jobFile);
}

/** The model's parameters in one checkpoint, without the state of a method that may lie behind them. */
export async function modelParameters(
  coordinator: Coordinator,
  manifest: CheckpointManifest,
): Promise<{ layout: Layout; flat: Float32Array }> {
  const saved = decodeSafetensors(await readRange(coordinator.checkpoints, manifest, 0, manifest.bytes));
  const layout = withoutMethodState(saved.layout);
  return { layout, flat: saved.flat.subarray(0, layout.length) };
}

function readFile(path: string): { layout: Layout; flat: Float32Array } {
  try {
    return decodeSafetensors(readFileSync(path));
  } catch (cause) {
    if (!(cause instanceof TributaryError)) throw cause;
    throw new TributaryError(cause.code, `${path}: ${cause.message}`, {
      hint: 'Give a .safetensors file by --from.',
      cause,
    });
  }
}

async function fromCoordinator(
  url: string,
  job: string,
  jobFile: string | undefined,
): Promise<LoadedParameters> {
  await assertJob(url, job);
  const coordinator = await openCoordinator(url, job);
  try {
    const manifest = await newestValidCheckpoint(coordinator.checkpoints);
    if (manifest === undefined) {
      throw new TributaryError('NOT_FOUND', `job "${job}" has no checkpoint at ${coordinator.url}`, {
        hint: 'Look at `tributary status`; a checkpoint is made when training begins.',
      });
    }
    const { layout, flat } = await modelParameters(coordinator, manifest);
    const record = await coordinator.jobRecord();
    return {
      layout,
      flat,
      description: `checkpoint ${manifest.id} (step ${manifest.step}) of ${job}`,
      jobFile,
      options: record?.spec.options ?? {},
    };
  } finally {
    await coordinator.close();
  }
}

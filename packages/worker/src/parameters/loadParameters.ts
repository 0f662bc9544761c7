import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { assertJob } from '@tributary/coordinator/assertJob.ts';
import type { CheckpointManifest, Coordinator } from '@tributary/coordinator/Coordinator.ts';
import { newestValidCheckpoint } from '@tributary/coordinator/checkpoints/newestValidCheckpoint.ts';
import { readRange } from '@tributary/coordinator/checkpoints/readRange.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { withoutMethodState } from '@tributary/core/layout/methodState.ts';
import type { TrainedTensors } from '@tributary/core/transfer/transferParameters.ts';
import type { OptionValues } from '../job/JobOptions.ts';
import { readParameterFile } from './readParameterFile.ts';

export interface LoadedParameters extends TrainedTensors {
  /** For people: where they were found. */
  readonly description: string;
  /** Of the job with which they were trained, as far as is known. */
  readonly options: OptionValues;
}

/**
 * Trained parameters: of a safetensors file, the initializers of an ONNX file, or the newest checkpoint of a run folder or of a job at a coordinator,
 * written `redis://HOST:PORT#JOB`. Throws NOT_FOUND if there is no such file, job or checkpoint, INVALID_ARGUMENT if the file is no such file, DATA_LOSS
 * if every checkpoint is damaged.
 */
export async function loadParameters(from: string): Promise<LoadedParameters> {
  const place = coordinatorPlace(from);
  if (place !== undefined) return fromCoordinator(place.url, place.job);
  const found = statSync(from, { throwIfNoEntry: false });
  if (found === undefined) {
    throw new TributaryError('NOT_FOUND', `there is no file or folder ${from}`, { hint: possible });
  }
  if (!found.isDirectory()) return { ...readParameterFile(from), description: from, options: {} };
  const { coordinator, job } = runConfig(from);
  return fromCoordinator(coordinator, job);
}

/** A relative path beginning at `folder` instead; a job at a coordinator as it is. */
export function placeIn(folder: string, from: string): string {
  return isAtCoordinator(from) ? from : resolve(folder, from);
}

function isAtCoordinator(from: string): boolean {
  return /^(rediss?|sqlite):/.test(from);
}

const possible = 'Give a .safetensors or .onnx file, a run folder, or a job as redis://HOST:PORT#JOB.';

function coordinatorPlace(from: string): { url: string; job: string } | undefined {
  if (!isAtCoordinator(from)) return undefined;
  const [, url, job] = /^(.+)#([^#]+)$/.exec(from) ?? [];
  if (job !== undefined) return { url, job };
  throw new TributaryError('INVALID_ARGUMENT', 'a coordinator is given without a job', {
    hint: 'Say which job is meant: redis://HOST:PORT#JOB. `tributary status --coordinator URL` lists them.',
  });
}

/** What `tributary train` keeps of a run. */
function runConfig(folder: string): { coordinator: string; job: string } {
  const file = join(folder, 'config.json');
  if (statSync(file, { throwIfNoEntry: false }) === undefined) {
    throw new TributaryError('NOT_FOUND', `${folder} is no run folder: it has no config.json`, {
      hint: 'Run folders are made by `tributary train` under runs/.',
    });
  }
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new TributaryError('DATA_LOSS', `${file} cannot be read: ${(cause as Error).message}`, {
      hint: 'Give another run folder.',
      cause,
    });
  }
}

/** The model's parameters in one checkpoint, without the state of a method that may lie behind them. */
export async function modelParameters(
  coordinator: Coordinator,
  manifest: CheckpointManifest,
): Promise<TrainedTensors> {
  const saved = decodeSafetensors(await readRange(coordinator.checkpoints, manifest, 0, manifest.bytes));
  const layout = withoutMethodState(saved.layout);
  return { layout, flat: saved.flat.subarray(0, layout.length), others: saved.others };
}

async function fromCoordinator(url: string, job: string): Promise<LoadedParameters> {
  await assertJob(url, job);
  const coordinator = await openCoordinator(url, job);
  try {
    const manifest = await newestValidCheckpoint(coordinator.checkpoints);
    if (manifest === undefined) {
      throw new TributaryError('NOT_FOUND', `job "${job}" has no checkpoint at ${coordinator.url}`, {
        hint: 'Look at `tributary status`; a checkpoint is made when training begins.',
      });
    }
    const parameters = await modelParameters(coordinator, manifest);
    const record = await coordinator.jobRecord();
    return {
      ...parameters,
      description: `checkpoint ${manifest.id} (step ${manifest.step}) of ${job}`,
      options: record?.spec.options ?? {},
    };
  } finally {
    await coordinator.close();
  }
}

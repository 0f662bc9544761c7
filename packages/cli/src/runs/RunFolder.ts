import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { writing } from '../files/writing.ts';
import type { Origin } from '../parameters/beginFrom.ts';

/** What a run was started with: enough to go on with it. */
export interface RunConfig {
  readonly id: string;
  /** Its name at the coordinator. */
  readonly job: string;
  readonly jobName: string;
  readonly jobFile: string;
  readonly coordinator: string;
  /** Trained parameters that it started from. */
  readonly startedFrom?: Origin;
  readonly [field: string]: unknown;
}

/** The folder `runs/<id>/` of one training run: config.json, metrics.jsonl, summary.json, loss.svg, parameters.safetensors. */
export class RunFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** The name and place of a new run. Nothing is made yet. */
  static choose(runs: string, jobName: string, now: Date): { folder: RunFolder; id: string } {
    const stamp = now.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
    const id = `${jobName}-${stamp}-${randomBytes(2).toString('hex')}`;
    return { folder: new RunFolder(resolve(runs, id)), id };
  }

  /** The place of a run within another folder, such as that of a comparison. Nothing is made yet. */
  static within(folder: RunFolder, id: string): RunFolder {
    return new RunFolder(folder.file(id));
  }

  /** Makes the folder, if it is new. Without a configuration it is no training run. */
  make(): void {
    writing(this.path, () => mkdirSync(this.path, { recursive: true }));
  }

  /** Makes the folder and keeps what the run is started with. From now on it is the newest. */
  begin(config: RunConfig): void {
    this.make();
    // The coordinator's URL may have a password.
    this.write('config.json', json(config), 0o600);
  }

  static open(path: string): RunFolder {
    if (!existsSync(join(path, 'config.json'))) {
      throw new TributaryError('NOT_FOUND', `${path} is no run folder: it has no config.json`, {
        hint: 'Run folders are made by `tributary train` under runs/.',
      });
    }
    return new RunFolder(resolve(path));
  }

  /** The run of that job (of any, if undefined) that was started last. */
  static newest(runs: string, jobName: string | undefined): RunFolder {
    const paths = existsSync(runs) ? readdirSync(runs).map((name) => join(runs, name)) : [];
    const found = paths
      .filter((path) => existsSync(join(path, 'config.json')))
      .map((path) => RunFolder.open(path))
      .filter((folder) => jobName === undefined || folder.config().jobName === jobName)
      .sort(
        (a, b) =>
          statSync(join(b.path, 'config.json')).mtimeMs - statSync(join(a.path, 'config.json')).mtimeMs,
      );
    if (found.length > 0) return found[0];
    throw new TributaryError(
      'NOT_FOUND',
      `${runs} holds no run${jobName === undefined ? '' : ` of the job "${jobName}"`}`,
      {
        hint: 'Start one with `tributary train JOB`, or say where runs are kept by --runs.',
      },
    );
  }

  file(name: string): string {
    return join(this.path, name);
  }

  config(): RunConfig {
    const file = this.file('config.json');
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as RunConfig;
    } catch (cause) {
      throw new TributaryError('DATA_LOSS', `${file} cannot be read: ${(cause as Error).message}`, {
        hint: 'Give another run folder by --run.',
        cause,
      });
    }
  }

  /** `mode`: who may read it, if the file is new. */
  write(name: string, content: string | Uint8Array, mode = 0o666): void {
    writing(this.file(name), () => writeFileSync(this.file(name), content, { mode }));
  }

  writeJson(name: string, value: unknown): void {
    this.write(name, json(value));
  }

  appendMetric(entry: MetricEntry): void {
    const file = this.file('metrics.jsonl');
    writing(file, () => appendFileSync(file, `${JSON.stringify(entry)}\n`));
  }

  metrics(): MetricEntry[] {
    if (!existsSync(this.file('metrics.jsonl'))) return [];
    const lines = readFileSync(this.file('metrics.jsonl'), 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as MetricEntry);
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

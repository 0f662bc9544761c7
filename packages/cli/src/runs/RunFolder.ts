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

/** What a run was started with: enough to go on with it. */
export interface RunConfig {
  readonly id: string;
  /** Its name at the coordinator. */
  readonly job: string;
  readonly jobName: string;
  readonly jobFile: string;
  readonly coordinator: string;
  readonly [field: string]: unknown;
}

/** The folder `runs/<id>/` of one training run: config.json, metrics.jsonl, summary.json, loss.svg, parameters.safetensors. */
export class RunFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static create(runs: string, jobName: string, now: Date): { folder: RunFolder; id: string } {
    const stamp = now.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
    const id = `${jobName}-${stamp}-${randomBytes(2).toString('hex')}`;
    const path = resolve(runs, id);
    mkdirSync(path, { recursive: true });
    return { folder: new RunFolder(path), id };
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
    return JSON.parse(readFileSync(this.file('config.json'), 'utf8')) as RunConfig;
  }

  writeJson(name: string, value: unknown): void {
    writeFileSync(this.file(name), `${JSON.stringify(value, null, 2)}\n`);
  }

  appendMetric(entry: MetricEntry): void {
    appendFileSync(this.file('metrics.jsonl'), `${JSON.stringify(entry)}\n`);
  }

  metrics(): MetricEntry[] {
    if (!existsSync(this.file('metrics.jsonl'))) return [];
    const lines = readFileSync(this.file('metrics.jsonl'), 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as MetricEntry);
  }
}

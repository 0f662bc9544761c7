import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { number, percent } from '../../packages/cli/src/progress/progressText.ts';
import { RunProgress } from '../../packages/cli/src/progress/RunProgress.ts';
import { RunFolder } from '../../packages/cli/src/runs/RunFolder.ts';
import { root, wordsOf } from '../../test/examples/methodPages.ts';

const main = join(root, 'packages/cli/src/main.ts');

/** What a command of a page took, all its trainings together, and what it said. */
export interface CommandCost {
  readonly command: string;
  readonly trainings: number;
  readonly passes: number;
  readonly trainMs: number;
  readonly pushedBytes: number;
  readonly result: string;
}

/** Runs a command as it stands on a page. `runs/NAME-…` in it is the newest run of that job among those in `runs`. */
export function runCommand(command: string, runs: string): CommandCost {
  const args = wordsOf(command).map((word) => {
    const name = /^runs\/(\w+)-…$/.exec(word)?.[1];
    return name === undefined ? word : RunFolder.newest(runs, name).path;
  });
  const output = execFileSync(process.execPath, [main, ...args, '--runs', runs, '--json'], {
    ...{ cwd: root, stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' },
  });
  const said = JSON.parse(output);
  const place = 'folder' in said ? said.folder : join(runs, said.run);
  const folders = globSync('**/config.json', { cwd: place }).map((config) =>
    RunFolder.open(join(place, config, '..')),
  );
  const used = folders.map(usedBy);
  const sum = (of: (progress: RunProgress) => number) => used.reduce((total, each) => total + of(each), 0);
  return {
    ...{ command, trainings: folders.length, result: resultOf(said) },
    passes: sum(({ passes }) => passes),
    trainMs: sum(({ trainMs }) => trainMs),
    pushedBytes: sum(({ pushedBytes }) => pushedBytes),
  };
}

function usedBy(folder: RunFolder): RunProgress {
  const progress = new RunProgress(folder.config().spec as JobSpec);
  for (const entry of folder.metrics()) progress.add(entry);
  return progress;
}

// biome-ignore lint/suspicious/noExplicitAny: what the commands print as JSON
function resultOf(said: any): string {
  if ('trials' in said) {
    const [{ point, loss }] = said.trials;
    const told = Object.entries(point).map(
      ([name, value]) => `\`${name}\` ${typeof value === 'number' ? Number(value.toPrecision(2)) : value}`,
    );
    return `${told.join(', ')}: loss ${number(loss)}`;
  }
  if ('noiseScale' in said) {
    const rate = `rate ${Number(said.learningRate.toPrecision(2))}, edge ${Number((said.edge / 10).toPrecision(2))}`;
    return said.noiseScale === null ? rate : `${rate}, noise scale ${Math.round(said.noiseScale)}`;
  }
  return `loss ${number(said.loss)}${said.accuracy === null ? '' : `, ${percent(said.accuracy)} right`}`;
}

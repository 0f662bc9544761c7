import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { initialiseJax } from '@tributary/worker/autodiff/initialiseJax.ts';
import { layoutOf } from '@tributary/worker/autodiff/initialParameters.ts';
import { loadJob } from '@tributary/worker/job/loadJob.ts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { stateOf } from '../../bench/methods/stateOf.ts';
import { stateText } from '../../bench/methods/tables.ts';
import { network } from '../../examples/methods/digits.ts';
import { parseMethods } from '../../packages/cli/src/compare/parseMethods.ts';
import { run, temporaryFolder } from '../cluster/tributary.ts';
import { methodPages, otherCommands, root, sections, wordsOf } from './methodPages.ts';
import { methodNames, methodOf, optionRules } from './optionRules.ts';
import { trainHere } from './trainHere.ts';

/*
 * What the pages of docs/methods say is so: they have the same parts, their options are those of the code, and their examples run. Trainings run in this process, for a few steps:
 * some thirty clusters would take a minute and more to start. What starts clusters itself is started as a user does.
 */

vi.mock(import('@tributary/worker/training/GradientThread.ts'), async () => {
  const { ComputeHere } = await import('./ComputeHere.ts');
  return { GradientThread: ComputeHere } as never;
});

const pages = methodPages();

test('every method has a page', () => {
  const told = pages.map(({ name }) => methodOf(name)?.name);
  expect(methodNames.filter((name) => !told.includes(name))).toEqual([]);
  expect(pages.length).toBeGreaterThan(methodNames.length + 5);
});

describe.each(pages.map((page) => [page.name, page] as const))('%s', (name, page) => {
  test('has all parts', () => {
    expect(page.headings).toEqual(sections);
    for (const section of sections) expect(page.sections.get(section), section).not.toBe('');
    expect(page.sections.get('When')).toMatch(/^- \*\*Use it\*\* .*\n- \*\*Not\*\* /s);
    expect(page.commands.length).toBeGreaterThan(0);
  });

  test('names the source that errors name', () => {
    const words = methodOf(name)?.source?.match(/\p{Lu}\p{L}{2,}|\d{4}/gu) ?? [];
    for (const word of words) expect(page.sections.get('Source')).toContain(word);
  });

  test('tells of the options that the code has', async () => {
    const rules = await optionRules(name);
    expect(page.options.map((option) => option.name)).toEqual(Object.keys(rules));
    for (const { name, initial, range } of page.options) {
      const { isDefault, accepts } = rules[name];
      expect(isDefault(toldValue(initial)), `${name} is ${initial} by default`).toBe(true);
      const { good, bad } = samplesOf(range);
      for (const value of good) expect(accepts(value), `${name}: ${value}`).toBe(true);
      for (const value of bad) expect(accepts(value), `${name}: ${value}`).toBe(false);
    }
  });

  test('tells what was measured, and what lies on the servers', async () => {
    const costs = page.sections.get('What it costs here')!;
    expect(costs).toMatch(/<!-- measured -->\n\n\|.*\[how\]\(.*<!-- end of measured -->$/s);
    if (!/examples\/methods\//.test(page.commands[0]) || page.commands[0].includes(' tune ')) return;
    await initialiseJax();
    const { job } = await loadJob(join(root, wordsOf(page.commands[0])[1]));
    expect(costs).toContain(stateText(stateOf(job.optimizer, layoutOf(network.model).layout)));
  });

  test('shows lines of the job that it trains', () => {
    const [, , path] = page.commands.at(-1)!.split(' ');
    const file = squeezed(readFileSync(join(root, path), 'utf8'));
    for (const part of page.code) expect(file).toContain(squeezed(part));
    const isWhole = path.startsWith('examples/methods/');
    if (page.code.length > 0 && isWhole) expect(squeezed(page.code.join(''))).toBe(file);
  });
});

/** Without the indentation, which an excerpt has otherwise. */
const squeezed = (code: string) => code.replace(/\s+/g, ' ').trim();

/** A default as the code has it; `-` for none. */
function toldValue(told: string): unknown {
  if (told === '-') return undefined;
  if (told === 'true' || told === 'false') return told === 'true';
  const quotient = told.split('/').map(Number);
  return quotient.some(Number.isNaN) ? told : quotient.reduce((a, b) => a / b);
}

/** Values inside and outside of a range; none where it is not told in these words. */
function samplesOf(range: string): { good: unknown[]; bad: unknown[] } {
  const whole = /^a whole number, (\d+) or more$/.exec(range);
  if (whole !== null) {
    const least = Number(whole[1]);
    return { good: [least, least + 3], bad: [least - 1, least + 0.5] };
  }
  if (range.startsWith('one of ')) {
    return { good: range.slice('one of '.length).split(', '), bad: ['another'] };
  }
  return samples[range] ?? { good: [], bad: [] };
}

const samples: Readonly<Record<string, { good: unknown[]; bad: unknown[] }>> = {
  'above 0': { good: [1e-6, 3], bad: [0, -1] },
  '0 or more': { good: [0, 3], bad: [-1] },
  'from 0 to below 1': { good: [0, 0.99], bad: [-0.1, 1] },
  'from 0 to 1': { good: [0, 1], bad: [-0.1, 1.1] },
  'true or false': { good: [true, false], bad: ['perhaps'] },
  'an object of patterns': { good: [{ '*': '*' }], bad: ['*'] },
  'a list of patterns': { good: [['*']], bad: ['*'] },
};

describe('examples', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tributary-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const lines = pages.flatMap(({ commands }) => commands);
  const trainings = [...new Set(lines.filter((line) => line.startsWith('tributary train')))];

  /** Files of trained parameters, by command: others start from them. */
  const trained = new Map<string, Promise<string>>();
  const trainOnce = (command: string): Promise<string> => {
    const file = trained.get(command) ?? trainInSmall(command);
    trained.set(command, file);
    return file;
  };

  async function trainInSmall(command: string): Promise<string> {
    const { path, flags } = parse(command);
    const {
      'start-from': startFrom,
      epochs: _,
      ...options
    } = Object.fromEntries(
      await Promise.all(flags.map(async ([name, value]) => [name, await placeOf(value)] as const)),
    );
    const { prepared, flat } = await trainHere(join(root, path), {
      ...{ steps: 2, evaluateEvery: 0, options },
      ...(startFrom !== undefined && { startFrom }),
    });
    const file = join(folder, `${randomUUID()}.safetensors`);
    await writeFile(file, encodeSafetensors(prepared.shape.layout, flat, {}));
    return file;
  }

  /** Pages say `runs/NAME-…` for the run of a job, which they train before. */
  async function placeOf(value: string): Promise<string> {
    const name = /^runs\/(\w+)-…$/.exec(value)?.[1];
    return name === undefined ? value : trainOnce(trainings.find((line) => line.endsWith(`/${name}.ts`))!);
  }

  test.each(trainings)('%s', { timeout: 120_000 }, async (command) => {
    await trainOnce(command);
  });

  /** What makes a command short; the last word of a flag counts. */
  const inSmall: Readonly<Record<string, readonly string[]>> = {
    compare: ['--budget-passes', '1', '--seeds', '1', '--methods', 'newton,momentum(learningRate=0.5)'],
    tune: ['--rate-steps', '10', '--noise-passes', '0.1'],
    search: ['--trials', '2', '--passes', '0.5'],
  };

  const others = [...new Set([...lines, ...otherCommands()])].filter((line) => !trainings.includes(line));
  test.each(others)('%s, as it is typed', { timeout: 300_000 }, async (command) => {
    const { words, flags } = parse(command);
    // All that the page compares must at least be methods; two of them are trained.
    for (const [name, value] of flags) if (name === 'methods') parseMethods(value);
    const kind = words.includes('--search') ? 'search' : words[0];
    const small = [...inSmall[kind], '--workers', '1', '--servers', '1', '--no-self-check'];
    const result = await run([...words, ...small, '--runs', temporaryFolder(), '--json'], { cwd: root });
    expect(result.code, result.stderr).toBe(0);
    expect(JSON.parse(result.stdout)).toHaveProperty('job');
  });
});

function parse(command: string): { words: string[]; path: string; flags: [string, string][] } {
  const words = wordsOf(command);
  const flags = words.flatMap((word, at): [string, string][] =>
    word.startsWith('--') ? [[word.slice('--'.length), words[at + 1]]] : [],
  );
  return { words, path: words[1], flags };
}

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

const good = `
import { numpy as np } from '@jax-js/jax';
import { csv, defineJob, sgd } from 'tributary';
export default defineJob({
  model: { init: () => ({ w: np.zeros([]) }), loss: ({ w }, { x }) => np.mean(x.mul(w)) },
  data: { train: csv('data/points.csv', { fields: { x: 'x' } }) },
  optimizer: sgd(),
  batchSize: 1,
  steps: 1,
});
`;

/** What is loaded, and what is expected of it. */
const cases: Record<string, { content: string; expected: object }> = {
  'House Prices.ts': { content: good, expected: { name: 'house-prices', size: 2 } },
  'penguins/job.ts': {
    content: good.replace('data/points', '../data/points'),
    expected: { name: 'penguins', size: 2 },
  },
  'named.ts': {
    content: good.replace('defineJob({', "defineJob({ name: 'own-name',"),
    expected: { name: 'own-name' },
  },
  'nothing.ts': {
    content: 'export const job = 1;\n',
    expected: { message: /nothing\.ts has no default export$/, hint: /export default defineJob/ },
  },
  'other.ts': {
    content: 'export default { model: {} };\n',
    expected: {
      message: /other\.ts has a default export that defineJob did not make$/,
      hint: /export default defineJob/,
    },
  },
  'syntax.ts': {
    content: 'const a = 1;\nconst b: number = ;\n',
    expected: { message: /syntax\.ts:2: SyntaxError: / },
  },
  'enum.ts': {
    content: 'enum A { b }\n',
    expected: { message: /enum\.ts:1: TypeScript enum is not supported/, hint: /leaving the types out/ },
  },
  'package.ts': {
    content: "import x from 'no-such-package';\nexport default x;\n",
    expected: {
      message: /package\.ts cannot be imported: Cannot find package 'no-such-package'/,
      hint: /npm install/,
    },
  },
  'path.ts': {
    content: "import x from './missing.ts';\nexport default x;\n",
    expected: {
      message: /path\.ts cannot be imported: Cannot find module .*missing\.ts/,
      hint: /Correct the path/,
    },
  },
  'name.ts': {
    content: "import { defineJobs } from 'tributary';\nexport default defineJobs;\n",
    expected: { message: /name\.ts:1: SyntaxError: .*does not provide an export named 'defineJobs'/ },
  },
  'throws.ts': {
    content: '\nconst settings: any = undefined;\nexport default settings.x;\n',
    expected: { message: /throws\.ts:3:25: TypeError: Cannot read properties of undefined/ },
  },
  'string.ts': {
    content: "throw 'enough';\n",
    expected: { message: /string\.ts threw enough when it was imported$/ },
  },
  'invalid.ts': {
    content: good.replace('batchSize: 1', 'batchSize: -1'),
    expected: { message: /invalid\.ts:4:\d+: the job is not valid: batchSize is -1, but must be/ },
  },
  'imports.ts': {
    content: "import './syntax.ts';\nexport default 1;\n",
    expected: { message: /syntax\.ts:2: SyntaxError: / },
  },
  'data-missing.ts': {
    content: good.replace('points.csv', 'lines.csv'),
    expected: {
      code: 'NOT_FOUND',
      message: /^there is no data file .*\/data\/lines\.csv$/,
      hint: /the folder of that file/,
    },
  },
};

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-jobs-'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'data/points.csv'), 'x\n1\n2\n');
  for (const [name, { content }] of Object.entries(cases)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
});
afterAll(() => rm(folder, { recursive: true }));

async function load(names: readonly string[]): Promise<Record<string, string>[]> {
  const script = join(import.meta.dirname, 'loadJobs.ts');
  const { stdout } = await run(process.execPath, [script, ...names.map((name) => join(folder, name))]);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('a job file is loaded, or refused with what was wrong, where, and what to do', async () => {
  const names = Object.keys(cases);
  const found = await load(names);
  for (const [index, name] of names.entries()) {
    for (const [key, expected] of Object.entries(cases[name].expected)) {
      if (expected instanceof RegExp) expect(found[index][key], name).toMatch(expected);
      else expect(found[index][key], name).toBe(expected);
    }
    if ('message' in found[index]) expect(found[index].name).toBe('TributaryError');
    else expect(found[index].file).toBe(join(folder, name));
  }
});

test('a file that is not there, and a folder', async () => {
  const [missing, isFolder] = await load(['nowhere.ts', 'data']);
  expect(missing).toMatchObject({
    code: 'NOT_FOUND',
    message: `there is no job file ${join(folder, 'nowhere.ts')}`,
  });
  expect(isFolder).toMatchObject({ code: 'NOT_FOUND', message: `${join(folder, 'data')} is not a file` });
});

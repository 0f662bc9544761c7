import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { jobFile, run, temporaryFolder } from '../cluster/tributary.ts';
import { freePort } from '../support/freePort.ts';
import { folderOf, lineOn } from './folderOf.ts';

const blobs = jobFile('blobs');

interface Refusal {
  readonly args: readonly string[];
  readonly says: RegExp;
  readonly code?: 1 | 2;
  readonly cwd?: string;
}

/** Each is refused with one line on standard error, and nothing else is printed. */
async function expectRefusals(refusals: readonly Refusal[]): Promise<void> {
  // Two at a time, as the machines have cores.
  for (let begin = 0; begin < refusals.length; begin += 2) {
    await Promise.all(refusals.slice(begin, begin + 2).map(expectRefusal));
  }
}

async function expectRefusal({ args, says, code = 2, cwd }: Refusal): Promise<void> {
  const result = await run(args, cwd === undefined ? {} : { cwd });
  const told = `tributary ${args.join(' ')}\n${result.stderr}`;
  // What processes of the cluster said stands above, and what commander adds in brackets below.
  const lines = result.stderr
    .trimEnd()
    .split('\n')
    .filter((line) => !/^\(.*\)$|^(worker|server) \d: /.test(line));
  expect.soft(lines, told).toHaveLength(1);
  expect.soft(result.stderr, told).toMatch(says);
  expect.soft(lines[0]).toMatch(/^error: /);
  expect.soft(result.stdout).toBe('');
  expect.soft(result.code, told).toBe(code);
}

test('wrong commands, flags and values, with the right ones', async () => {
  await expectRefusals([
    { args: ['trian', blobs], says: /unknown command 'trian'\n\(Did you mean train\?\)/ },
    { args: ['train'], says: /missing required argument 'job'/ },
    {
      args: ['train', blobs, '--sevrers', '2'],
      says: /unknown option '--sevrers'\. Did you mean --servers\?/,
    },
    {
      args: ['train', jobFile('choosable'), '--traget', 'five'],
      says: /unknown option '--traget'\. Did you mean --target\? .*Options of the job: target \(three or five\), start \(a number, 0 by default\)/,
    },
    {
      args: ['train', jobFile('choosable'), '--target', 'seven'],
      says: /the job's option target is 'seven'\. It must be three or five/,
    },
    { args: ['train', blobs, 'twice'], says: /unexpected argument 'twice'\. The job file comes first/ },
    {
      args: ['train', blobs, '--servers', '0'],
      says: /'--servers <n>' argument '0' is invalid\. It must be a whole number, 1 or more/,
    },
    {
      args: ['train', blobs, '--workers', 'two'],
      says: /argument 'two' is invalid\. It must be a whole number/,
    },
    { args: ['train', blobs, '--staleness', '-1'], says: /'--staleness <s>' argument '-1' is invalid/ },
    { args: ['train', blobs, '--epochs', '0'], says: /It must be a number above 0/ },
    {
      args: ['train', blobs, '--epochs', '1', '--steps', '2'],
      says: /'--steps <n>' cannot be used with option '--epochs <n>'/,
    },
    {
      args: ['train', blobs, '--resume', '--start-from', 'x'],
      says: /'--start-from <place>' cannot be used with option '--resume'/,
    },
    {
      args: ['train', blobs, '--start-from', 'redis://host'],
      says: /without a job\. Say which job is meant/,
    },
    { args: ['train', blobs, '--compute', 'gpu'], says: /Allowed choices are auto, native, reference/ },
    {
      args: ['train', blobs, '--coordinator', 'http://x'],
      says: /It must be redis:\/\/HOST:PORT or sqlite:PATH/,
    },
    { args: ['server', '--job', 'j'], says: /required option '--coordinator <url>' not specified/ },
    {
      args: ['server', '--coordinator', 'sqlite:x', '--job', 'j', '--bind', '7070'],
      says: /It must be HOST:PORT, such as 0\.0\.0\.0:7070/,
    },
    {
      args: ['server', '--coordinator', 'sqlite:x', '--job', 'j', '--advertise', 'me:70707'],
      says: /'--advertise <host:port>' argument 'me:70707' is invalid/,
    },
    {
      args: ['evaluate', blobs, '--run', 'runs/x', '--job', 'j'],
      says: /'--run <folder>' cannot be used with option '--job <id>'/,
    },
    { args: ['export'], says: /required option '--to <file>' not specified/ },
  ]);
});

test('job files that are missing, are none, or are wrong in some place', async () => {
  const folder = folderOf({
    'none.ts': 'export const job = 1;\n',
    'other.ts': 'export default { model: 1 };\n',
    'syntax.ts': 'const a = 1;\nexport default { a: };\n',
    'enum.ts': 'enum Colour { Red }\nexport default Colour.Red;\n',
    'import.ts': "import './nowhere.ts';\nexport default 1;\n",
    'package.ts': "import 'no-such-package-anywhere';\nexport default 1;\n",
    'throws.ts': "\nthrow new Error('no data today');\n",
    'field.ts': lineOn('inMemory({ x: [1, 2], y: [1, 2] })').replace(
      'batchSize: 2',
      "batchSize: 'two', epoch: 3",
    ),
    'small.ts': lineOn('inMemory({ x: [1, 2], y: [1, 2] })'),
  });
  const train = (file: string, says: RegExp, code?: 1 | 2): Refusal => ({
    args: ['train', file],
    says,
    cwd: folder,
    ...(code === undefined ? {} : { code }),
  });
  await expectRefusals([
    train(
      'nowhere.ts',
      /there is no job file \/.*\/nowhere\.ts\. Give the path of a TypeScript file that default-exports defineJob/,
    ),
    train('.', /is not a file\. Give the path/),
    train('none.ts', /none\.ts has no default export\. Write: export default defineJob/),
    train('other.ts', /other\.ts has a default export that defineJob did not make/),
    train('syntax.ts', /syntax\.ts:2.*SyntaxError/),
    train('enum.ts', /enum\.ts.*enums, namespaces and parameter properties are not possible/),
    train('import.ts', /import\.ts cannot be imported: .*nowhere\.ts.*Correct the path/),
    train('package.ts', /package\.ts cannot be imported: .*no-such-package-anywhere.*Install the package/),
    train('throws.ts', /throws\.ts:2:7: Error: no data today/),
    train(
      'field.ts',
      /field\.ts:4:\d+: the job is not valid: .*batchSize is 'two', but must be a whole number.*epoch is not a field of a job: did you mean epochs\?/,
    ),
    train('small.ts', /2 training examples are too few for 2 ranks with batchSize 2: a step takes 4/),
  ]);
  expect(existsSync(join(folder, 'runs'))).toBe(false);
});

test('data files that are missing, truncated or malformed, by place', { timeout: 60_000 }, async () => {
  const images = (count: number, bytes: number) =>
    Uint8Array.from([0, 0, 8, 1, 0, 0, 0, count, ...new Array<number>(bytes).fill(7)]);
  const folder = folderOf({
    'missing.ts': lineOn("csv('nowhere.csv', { fields: { x: 'x', y: 'y' } })"),
    'column.ts': lineOn("csv('good.csv', { fields: { x: 'x', y: 'z' } })"),
    'quote.ts': lineOn("csv('quote.csv', { fields: { x: 'x', y: 'y' } })"),
    'word.ts': lineOn("csv('word.csv', { fields: { x: 'x', y: 'y' } })"),
    'good.csv': 'x,y\n1,2\n2,4\n3,6\n4,8\n',
    'quote.csv': 'x,y\n1,2\n"2,4\n3,6\n4,8\n',
    'word.csv': 'x,y\n1,2\n2,4\n3,six\n4,8\n',
    'truncated.ts': lineOn("idx({ x: 'good.idx', y: 'truncated.idx' })"),
    'long.ts': lineOn("idx({ x: 'good.idx', y: 'long.idx' })"),
    'format.ts': lineOn("idx({ x: 'good.csv', y: 'good.idx' })"),
    'count.ts': lineOn("idx({ x: 'good.idx', y: 'five.idx' })"),
    'gzip.ts': lineOn("idx({ x: 'good.idx', y: 'broken.idx.gz' })"),
    'good.idx': images(4, 4),
    'five.idx': images(5, 5),
    'truncated.idx': images(4, 3),
    'long.idx': images(4, 6),
    'broken.idx.gz': gzipSync(images(4, 4)).subarray(0, 20),
  });
  const train = (file: string, says: RegExp, code: 1 | 2 = 2): Refusal => ({
    args: ['train', file],
    says,
    code,
    cwd: folder,
  });
  await expectRefusals([
    train('missing.ts', /there is no data file \/.*\/nowhere\.csv\. Relative paths/),
    train('column.ts', /good\.csv has no column "z", which field y names/),
    train('quote.ts', /quote\.csv:3.*quote/),
    train('truncated.ts', /truncated\.idx.*(truncated|ends)/, 1),
    train('long.ts', /long\.idx/, 1),
    train('format.ts', /good\.csv.*IDX/),
    train('count.ts', /good\.idx has 4 examples, \/.*five\.idx has 5/),
    train('gzip.ts', /broken\.idx\.gz/, 1),
    // Found where a worker reads the row, and told by the command.
    train(
      'word.ts',
      /^error: worker \d ended with exit code 2: error: .*word\.csv:4:3: column "y" is 'six'/m,
    ),
  ]);
});

test('a label that is no class, anywhere in the data, before the first step; then a checkpoint of another model', {
  timeout: 90_000,
}, async () => {
  const rows = (bad: number) =>
    `x,y\n${Array.from({ length: 2000 }, (_, example) => `0.5,${example === bad ? 3 : example % 3}`).join('\n')}\n`;
  const source = (file: string) =>
    `csv('${file}', { fields: { x: 'x', y: { columns: 'y', dtype: 'int32' } } })`;
  const job = (data: string, parameter = 'w: np.zeros([1, 3])') => `import { numpy as np } from '@jax-js/jax';
import { crossEntropy, csv, defineJob, sgd } from 'tributary';

export default defineJob({
  model: {
    init: () => ({ ${parameter} }),
    loss: ({ w }, { x, y }) => crossEntropy(np.matmul(x.reshape([-1, 1]), w), y),
  },
  data: { ${data} },
  optimizer: sgd({ learningRate: 0.01 }),
  name: 'labels',
  ranks: 2,
  batchSize: 2,
  steps: 4,
  evaluateEverySteps: 4,
});
`;
  const folder = folderOf({
    'late.csv': rows(1990),
    'good.csv': rows(-1),
    'train.ts': job(`train: ${source('late.csv')}, test: ${source('good.csv')}`),
    'test.ts': job(`train: ${source('good.csv')}, test: ${source('late.csv')}`),
    'turned.ts': job(`train: ${source('good.csv')}, test: ${source('good.csv')}`, 'w: np.zeros([3, 1])'),
    'renamed.ts': job(`train: ${source('good.csv')}, test: ${source('good.csv')}`, 'v: np.zeros([1, 3])'),
  });
  const says =
    /example 1990 of csv late\.csv, whose y is 3: the index 3 is out of range of the array it indexes, which goes from 0 to 2\. Compare/;
  const small = ['--workers', '1', '--servers', '1'];
  await expectRefusals(
    ['train.ts', 'test.ts'].map((file) => ({ args: ['train', file, ...small], says, cwd: folder })),
  );
  const runs = readdirSync(join(folder, 'runs'));
  expect(runs).toHaveLength(2);
  for (const id of runs) {
    const coordinator = await openCoordinator(`sqlite:${join(folder, 'runs', id, 'coordinator.sqlite')}`, id);
    const { entries } = await coordinator.readMetrics('', limits.metricsReadMax);
    expect(entries.filter(({ kind }) => kind === 'step')).toEqual([]);
    // The one that every job begins with.
    expect((await coordinator.checkpoints.list()).map(({ step }) => step)).toEqual([0]);
    await coordinator.close();
  }
  const another = (parameter: string) => ({
    says: new RegExp(
      `checkpoint g0-s0 is of another model: its parameter 0 is "w" \\[1, 3\\], that of the job ${parameter}\\. Resume`,
    ),
    cwd: folder,
  });
  await expectRefusals([
    { args: ['train', 'turned.ts', '--resume'], ...another('"w" \\[3, 1\\]') },
    { args: ['train', 'renamed.ts', '--resume'], ...another('"v" \\[1, 3\\]') },
  ]);
});

describe('places', () => {
  test('a Redis that cannot be reached, and no run folder is left behind', async () => {
    const folder = temporaryFolder();
    const url = `redis://127.0.0.1:${await freePort()}`;
    const says =
      /error: Redis at redis:\/\/127\.0\.0\.1:\d+ cannot be reached \(.*ECONNREFUSED.*\)\. Start it, or give its address/;
    await expectRefusals([
      { args: ['train', blobs, '--coordinator', url, '--runs', 'runs'], says, code: 1, cwd: folder },
      { args: ['status', '--coordinator', url], says, code: 1 },
      { args: ['worker', blobs, '--coordinator', url, '--job', 'j'], says, code: 1 },
      { args: ['server', '--coordinator', url, '--job', 'j'], says, code: 1 },
    ]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a port that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await once(taken, 'listening');
    const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    const at = ['--coordinator', `sqlite:${temporaryFolder()}/c.sqlite`, '--job', 'j'];
    await expectRefusal({
      args: ['server', ...at, '--bind', address],
      says: new RegExp(`the address ${address} is in use\\. Stop what listens there, or choose another`),
    });
  });

  test('runs and jobs that are not there, and nothing is made by looking for them', async () => {
    const folder = temporaryFolder();
    const file = `sqlite:${folder}/none.sqlite`;
    mkdirSync(join(folder, 'broken'));
    writeFileSync(join(folder, 'broken', 'config.json'), '{ half');
    mkdirSync(join(folder, 'empty'));
    await expectRefusals([
      {
        args: ['status', '--run', folder],
        says: /is no run folder: it has no config\.json\. Run folders are made by/,
      },
      {
        args: ['status', '--run', join(folder, 'broken')],
        says: /broken\/config\.json cannot be read: /,
        code: 1,
      },
      { args: ['status', '--runs', join(folder, 'empty')], says: /empty holds no run\. Start one with/ },
      { args: ['status', '--coordinator', file], says: /there is no coordinator file/ },
      { args: ['status', '--coordinator', file, '--job', 'j'], says: /there is no coordinator file/ },
      {
        args: ['export', '--coordinator', file, '--job', 'j', '--to', 'x'],
        says: /there is no coordinator file/,
      },
      { args: ['export', '--coordinator', file, '--to', 'x'], says: /--coordinator is given without --job/ },
      {
        args: ['train', blobs, '--resume', '--runs', join(folder, 'empty')],
        says: /empty holds no run of the job "blobs"\. Start one/,
      },
      {
        args: ['train', blobs, '--resume', '--coordinator', file],
        says: /--resume with --coordinator needs --job/,
      },
      {
        args: ['evaluate', blobs, '--from', join(folder, 'none.safetensors')],
        says: /there is no file or folder .*none\.safetensors\. Give a \.safetensors or \.onnx file/,
      },
      { args: ['evaluate', blobs, '--from', blobs], says: /blobs\.ts: not a valid safetensors file/ },
      {
        args: ['train', blobs, '--runs', join(folder, 'broken', 'config.json')],
        says: /config\.json/,
        code: 1,
      },
    ]);
    expect(readdirSync(folder).sort()).toEqual(['broken', 'empty']);
  });
});

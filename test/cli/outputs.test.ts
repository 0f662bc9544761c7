import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { afterAll, expect, test } from 'vitest';
import { parameterHash } from '../../packages/cli/src/parameters/parameterHash.ts';
import type { TrainSummary } from '../../packages/cli/src/runs/TrainSummary.ts';
import { jobFile, type Result, run, temporaryFolder } from '../cluster/tributary.ts';
import { folderOf, lineOn } from './folderOf.ts';

/* What the commands print and leave, all of one small run. */

const blobs = jobFile('blobs');
const runs = mkdtempSync(join(tmpdir(), 'tributary-'));
afterAll(() => rmSync(runs, { recursive: true, force: true }));

let training: Promise<Result> | undefined;

/** The run, made by whichever test comes first. */
async function trained(): Promise<{ result: Result; summary: TrainSummary; folder: string }> {
  training ??= run(['train', blobs, '--runs', runs, '--json', '--seed', '3']);
  const result = await training;
  expect(result.code, result.stderr).toBe(0);
  const summary = JSON.parse(result.stdout) as TrainSummary;
  return { result, summary, folder: join(runs, summary.run) };
}

/** Standard output of a command that does well and has nothing to complain of. */
async function outputOf(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

test('train --json prints one line of JSON and nothing else, with everything that there is to know', async () => {
  const { result, summary, folder } = await trained();
  expect(result.stdout).toBe(`${JSON.stringify(summary)}\n`);
  expect(summary).toMatchObject({
    ...{ state: 'finished', job: 'blobs', seed: 3, steps: 60, epochs: 7.5, ranks: 8, batchSize: 8 },
    ...{ workers: 2, servers: 2, staleness: 0, optimizer: 'adam', hyperparameters: { learningRate: 0.01 } },
    ...{ compute: 'native', parameters: 5123, evaluatedOn: 'train' },
    // Each of two workers pushes one sum of 5123 floats at each step.
    ...{ passes: 7.5, pushedBytes: 60 * 2 * 5123 * 4 },
    coordinator: `sqlite:${join(folder, 'coordinator.sqlite')}`,
    checkpoint: join(folder, 'parameters.safetensors'),
  });
  expect(summary.loss).toBeLessThan(0.1);
  expect(summary.accuracy).toBeGreaterThan(0.97);
  for (const value of [summary.memoryBytes, summary.trainMs, summary.setupMs, summary.samplesPerSecond])
    expect(value).toBeGreaterThan(0);
  expect(summary.parametersSha256).toMatch(/^[0-9a-f]{64}$/);
});

test('the run folder has the configuration, the metrics, the summary, the loss curve and the parameters', async () => {
  const { summary, folder } = await trained();
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  expect(readdirSync(runs)).toEqual([summary.run]);
  expect(JSON.parse(read('config.json'))).toMatchObject({
    ...{ id: summary.run, jobName: 'blobs', jobFile: blobs, coordinator: summary.coordinator },
    ...{ servers: 2, workers: 2, overrides: { seed: 3 }, spec: { seed: 3, steps: 60, ranks: 8 } },
  });
  expect(JSON.parse(read('summary.json'))).toEqual(summary);

  const metrics = read('metrics.jsonl')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as MetricEntry);
  const steps = metrics.filter((entry) => entry.kind === 'step');
  expect(steps.map((entry) => entry.step)).toEqual(Array.from({ length: 60 }, (_, step) => step));
  for (const entry of steps) expect(entry).toMatchObject({ examples: 64, staleness: 0 });
  expect(steps[59].loss).toBeLessThan(steps[0].loss / 10);

  const curve = read('loss.svg');
  expectWellFormed(curve);
  expect(curve).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  expect(/<polyline [^>]*points="([^"]*)"/.exec(curve)![1].split(' ')).toHaveLength(60);

  const { layout, flat } = decodeSafetensors(readFileSync(join(folder, 'parameters.safetensors')));
  expect(layout.tensors.map(({ name, shape }) => [name, shape])).toEqual([
    ['w1', [16, 256]],
    ['b1', [256]],
    ['w2', [256, 3]],
    ['b2', [3]],
  ]);
  expect(parameterHash(flat)).toBe(summary.parametersSha256);
});

test('without --json, train ends with a table; what it shows meanwhile goes to standard error', async () => {
  const { code, stdout, stderr } = await run(['train', blobs, '--runs', temporaryFolder(), '--steps', '20']);
  expect(code, stderr).toBe(0);
  for (const row of [
    /^ {2}state +finished after 20 steps \(2\.5 epochs\)$/m,
    /^ {2}cluster +2 servers, 2 workers, 8 ranks x 8 examples, staleness 0$/m,
    /^ {2}method +adam, 5,123 parameters, native compute, fast transport$/m,
    /^ {2}train loss +\d/m,
    /^ {2}train accuracy +\d+\.\d\d %$/m,
    /^ {2}sha-256 +[0-9a-f]{64}$/m,
    /^ {2}run folder +\//m,
  ]) {
    expect(stdout).toMatch(row);
  }
  expect(stderr).toMatch(
    /^step \d+\/20 {2}epoch \d\.\d\/2\.5 {2}loss \d.* samples\/s {2}staleness 0 {2}\d+ s left$/m,
  );
});

test('export writes the trained parameters as a file of safetensors', async () => {
  const { summary, folder } = await trained();
  const file = join(temporaryFolder(), 'model.safetensors');
  const text = await outputOf('export', '--run', folder, '--to', file);
  expect(text).toBe(
    `${file}: 4 tensors, 5123 parameters of checkpoint g1-s60 (step 60) of ${summary.run}, sha-256 ${summary.parametersSha256}\n`,
  );
  expect(parameterHash(decodeSafetensors(readFileSync(file)).flat)).toBe(summary.parametersSha256);

  const refused = await run(['export', '--run', folder, '--to', join(folder, 'no', 'folder.safetensors')]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(
    /^error: \/.*\/no\/folder\.safetensors cannot be written: its folder does not exist\. .*\n$/,
  );
});

test('evaluate says of the run and of its file what train said', async () => {
  const { summary, folder } = await trained();
  const { parametersSha256, loss, accuracy } = summary;
  const expected = { job: 'blobs', on: 'train', examples: 512, loss, accuracy, parametersSha256 };
  for (const source of [
    ['--run', folder],
    ['--runs', runs],
    ['--from', summary.checkpoint],
  ]) {
    const text = await outputOf('evaluate', blobs, ...source, '--json');
    expect(text).toBe(`${JSON.stringify(expected)}\n`);
  }
  const table = await outputOf('evaluate', blobs, '--run', folder);
  expect(table).toMatch(/^ {2}parameters +checkpoint g1-s60 \(step 60\) of blobs-/m);
  expect(table).toMatch(/^ {2}data +512 train examples$/m);
});

test('parameters of another model are refused, by tensor', async () => {
  const { summary } = await trained();
  const folder = folderOf({
    'job.ts': lineOn('inMemory({ x: [1, 2, 3, 4], y: [2, 4, 6, 8] })').replace(
      'w: np.array(0.5)',
      'w: np.array(0.5), b2: np.zeros([5])',
    ),
  });
  const { code, stdout, stderr } = await run([
    'evaluate',
    join(folder, 'job.ts'),
    '--from',
    summary.checkpoint,
  ]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toBe(
    `error: ${summary.checkpoint} does not fit the model: "w" is missing; "b2" has the shape [3] instead of [5]; not used: w1, b1, w2. Use the job file with which it was trained.\n`,
  );
});

test('predict prints one line of JSON for each example, of the data or of a file', async () => {
  const { folder } = await trained();
  const parse = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  expect(parse(await outputOf('predict', blobs, '--run', folder, '--first', '3'))).toEqual([
    { example: 0, prediction: 0, y: 0 },
    { example: 1, prediction: 1, y: 1 },
    { example: 2, prediction: 2, y: 2 },
  ]);

  const centre = (label: number) => ({
    x: Array.from({ length: 16 }, (_, feature) => Math.sin(label * 2.1 + feature)),
  });
  const input = join(temporaryFolder(), 'new.jsonl');
  writeFileSync(input, `${[centre(2), centre(0)].map((example) => JSON.stringify(example)).join('\n')}\n`);
  expect(parse(await outputOf('predict', blobs, '--run', folder, '--input', input))).toEqual([
    { example: 0, prediction: 2 },
    { example: 1, prediction: 0 },
  ]);

  const wrong = join(temporaryFolder(), 'wrong.jsonl');
  writeFileSync(wrong, '{"z": 1}\n');
  for (const [file, says] of [
    [wrong, /its first line has none of the fields x, y\. Each line is one example/],
    [`${wrong}.gone`, /there is no file .*wrong\.jsonl\.gone\. Give a file of JSON lines by --input/],
  ] as const) {
    const refused = await run(['predict', blobs, '--run', folder, '--input', file]);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(says);
  }
});

test('status says what became of a run, as text and as one JSON object', async () => {
  const { summary, folder } = await trained();
  const text = await outputOf('status', '--run', folder);
  expect(text).toMatch(/^ {2}state +finished$/m);
  expect(text).toMatch(/^ {2}progress +step 60\/60, loss 0\.0\d+$/m);
  expect(text).toMatch(/^ {2}checkpoint +g1-s60: step 60, 66452 bytes$/m);

  const of = ['--coordinator', summary.coordinator];
  const one = JSON.parse(await outputOf('status', '--run', folder, '--json'));
  expect(one).toMatchObject({
    job: summary.run,
    state: 'finished',
    endStep: 60,
    members: [],
    step: { step: 59 },
  });
  expect(one.checkpoints.map((checkpoint: { step: number }) => checkpoint.step)).toEqual([60, 40, 20]);
  expect(JSON.parse(await outputOf('status', ...of, '--job', summary.run, '--json'))).toEqual(one);
  expect(JSON.parse(await outputOf('status', ...of, '--json'))).toEqual({ jobs: [one] });

  const unknown = await run(['status', ...of, '--job', 'nothing']);
  expect(unknown).toMatchObject({
    ...{ code: 2, stdout: '' },
    stderr:
      'error: the coordinator knows no job "nothing". `tributary status --coordinator URL` lists those that it knows.\n',
  });
});

/** Every tag is closed in its order, every attribute quoted, every ampersand begins a reference. */
function expectWellFormed(xml: string): void {
  const open: string[] = [];
  const piece = /<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|[^<>]+/gy;
  for (let end = 0; end < xml.length; end = piece.lastIndex) {
    piece.lastIndex = end;
    const match = piece.exec(xml);
    expect(match, `at ${xml.slice(end, end + 80)}`).not.toBeNull();
    const [, closes, name, , empty] = match!;
    if (closes === '/') expect(open.pop()).toBe(name);
    else if (name !== undefined && empty === '') open.push(name);
  }
  expect(open).toEqual([]);
  expect(xml).not.toMatch(/&(?!(#\d+|amp|lt|gt|quot);)/);
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { GradientProgram } from '@tributary/worker/compute/GradientProgram.ts';
import { openBackend } from '@tributary/worker/compute/openBackend.ts';
import { expect, test } from 'vitest';
import { describeOrigin } from '../../packages/cli/src/parameters/beginFrom.ts';
import { prepareJob } from '../../packages/cli/src/parameters/prepareJob.ts';
import { jobFile, run, temporaryFolder, train } from '../cluster/tributary.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/trained', name);

test.each(['network.onnx', 'external.onnx', 'network.safetensors'])(
  'a network of PyTorch in %s computes here what it computed there',
  async (name) => {
    const { shape, begin, job } = await prepareJob(jobFile('torchNetwork'), { startFrom: fixture(name) });
    const { parameters, origin } = await begin();
    expect(origin).toMatchObject({
      from: fixture(name),
      taken: ['features/0/w', 'features/0/b', 'head/w', 'head/b'],
      reinitialised: [],
    });
    const data = await job.data.train.open();
    const batch = await data.read(Uint32Array.of(0, 1, 2));
    const program = new GradientProgram(await openBackend('auto'), job.model, shape);
    const { logits } = JSON.parse(readFileSync(fixture('network.json'), 'utf8'));
    const computed = await program.predict(parameters, batch);
    logits.flat().forEach((expected: number, index: number) => {
      expect(computed.data[index]).toBeCloseTo(expected, 5);
    });
    program.dispose();
  },
);

test('a run, its file and its job at the coordinator are taken up on other servers as if there had been no break', {
  timeout: 400_000,
}, async () => {
  const runs = temporaryFolder();
  const train1 = (...flags: string[]) => train([jobFile('quadratic'), '--runs', runs, ...flags]);
  const whole = await train1('--steps', '8');
  const half = await train1('--steps', '4', '--servers', '1');
  const folder = join(runs, half.run);
  expect(half.startedFrom).toBeUndefined();
  expect(half.parametersSha256).not.toBe(whole.parametersSha256);

  const places = [
    folder,
    join(folder, 'parameters.safetensors'),
    `sqlite:${join(folder, 'coordinator.sqlite')}#${half.run}`,
  ];
  for (const [index, from] of places.entries()) {
    const rest = await train1('--steps', '4', '--servers', String(index + 2), '--start-from', from);
    expect(rest.startedFrom).toMatchObject({ taken: ['w'], reinitialised: [], unused: [] });
    expect(rest.parametersSha256).toBe(whole.parametersSha256);
  }
  const resumed = await train([jobFile('quadratic'), '--runs', runs, '--resume', '--steps', '5']);
  expect(resumed.startedFrom).toMatchObject({ taken: ['w'] });
});

/** What `train` says when it starts the network of the tests from a file with these tensors. */
async function refusal(tensors: Readonly<Record<string, readonly number[]>>): Promise<string> {
  const file = join(temporaryFolder(), 'other.safetensors');
  const layout = createLayout(Object.entries(tensors).map(([name, shape]) => ({ name, shape })));
  writeFileSync(file, encodeSafetensors(layout, new Float32Array(layout.length)));
  const runs = join(temporaryFolder(), 'runs');
  const result = await run(['train', jobFile('torchNetwork'), '--runs', runs, '--start-from', file]);
  expect(result).toMatchObject({ code: 2, stdout: '' });
  return result.stderr.replaceAll(file, 'FILE');
}

test('a checkpoint that does not fit is refused with every difference, before anything is made', async () => {
  expect(
    await refusal({
      'features.0.weight': [2, 1, 5, 5],
      'features.0.bias': [2],
      'fc.weight': [8, 3],
      old: [1],
    }),
  ).toBe(
    'error: FILE does not fit the model: "features/0/w" has the shape [2, 1, 5, 5] instead of [2, 1, 3, 3]; "head/w" has the shape [8, 3] instead of [3, 8], but transposed it fits; "head/b" is missing: there is no "fc.bias"; not used: old. In the job\'s start, `map` says how tensors are called there, `transpose` which to turn, `reinitialise` which to begin anew.\n',
  );
});

test('what was taken, what is new and what was left is said in one line', () => {
  const names = { taken: ['a', 'b'], reinitialised: ['head/w'], unused: ['fc.weight', 'fc.bias'] };
  expect(describeOrigin({ from: 'x.onnx', ...names })).toBe(
    '2 tensors of x.onnx; new: head/w; not used: fc.weight, fc.bias',
  );
  expect(describeOrigin({ from: 'x', taken: ['a'], reinitialised: [], unused: [] })).toBe('1 tensors of x');
});

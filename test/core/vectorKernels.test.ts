import { readFileSync } from 'node:fs';
import { kernelModule } from '@tributary/core/kernels/kernelModule.ts';
import { plainKernels } from '@tributary/core/kernels/plainKernels.ts';
import { createSimdKernels } from '@tributary/core/kernels/simdKernels.ts';
import { VectorMemory } from '@tributary/core/kernels/VectorMemory.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { webAssembly } from '@tributary/core/webassembly/webAssembly.ts';
import { describe, expect, test } from 'vitest';
import { compileKernels, kernelModuleFile } from '../../scripts/kernels.ts';
import { vectorKernelLaws } from '../laws/vectorKernels.laws.ts';
import { caught } from './caught.ts';
import { elementVariants } from './optimizerVariants.ts';

describe('plain', () => vectorKernelLaws(() => plainKernels));
describe('simd', () => vectorKernelLaws(createSimdKernels));

test('the committed module is what its sources compile to', () => {
  expect(readFileSync(kernelModuleFile, 'utf8')).toBe(compileKernels());
});

test('every element-wise optimizer has a kernel, which takes what its rule gives', () => {
  const module = new webAssembly.Module(Buffer.from(kernelModule, 'base64'));
  const { memory } = new VectorMemory();
  const kernels = new webAssembly.Instance(module, { env: { memory } }).exports as Record<
    string,
    () => unknown
  >;
  for (const { spec } of elementVariants) {
    const { name, rule, hyperparameters } = createOptimizer(spec);
    const scalars = rule.scalars({ count: 1, learningRate: Number(hyperparameters.learningRate) });
    // Elements, out, parameters, gradient.
    expect([name, kernels[rule.kernel]?.length]).toEqual([name, 4 + rule.slots.length + scalars.length]);
  }
});

test('shards of more than 4 GiB together fit into one process, one alone does not', () => {
  const elements = 600_000_000;
  const vectors = [createSimdKernels(), createSimdKernels()].map((kernels) => kernels.allocate(elements));
  for (const vector of vectors) {
    vector[elements - 1] = 1;
    expect(vector[0]).toBe(0);
  }
  const kernels = createSimdKernels();
  const last = kernels.allocate(2 ** 30 - 100_000).subarray(-4);
  kernels.add(last, last.fill(1));
  expect(Array.from(last)).toEqual([2, 2, 2, 2]);
  const error = caught(() => kernels.allocate(100_000));
  expect(error).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    message: 'one shard would need 4.0 GiB of memory',
  });
  expect(error.hint).toContain('use more servers');
});

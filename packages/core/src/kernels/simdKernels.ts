import { invariant } from '../errors/invariant.ts';
import { averageInto } from '../optimizer/createOptimizer.ts';
import { blockElements } from '../partition/partition.ts';
import { blockSquares } from '../reduction/blockSquares.ts';
import { webAssembly } from '../webassembly/webAssembly.ts';
import { kernelModule } from './kernelModule.ts';
import { plainKernels } from './plainKernels.ts';
import { simdCodecs } from './simdCodecs.ts';
import type { VectorKernels } from './VectorKernels.ts';
import { VectorMemory } from './VectorMemory.ts';

/** A compiled kernel: elements (a multiple of 4), byte addresses, scalars. */
type Kernel = (count: number, ...addressesAndScalars: number[]) => number;

let compiled: object | undefined;

/**
 * SIMD kernels (packages/core/assembly) over a memory of their own, which `allocate` hands out in vectors. Vectors from elsewhere are
 * welcome, but are worked on by the plain loops, as are the last elements that do not fill a SIMD register: the bits are the same.
 */
export function createSimdKernels(): VectorKernels {
  compiled ??= new webAssembly.Module(Buffer.from(kernelModule, 'base64'));
  const memory = new VectorMemory();
  const { exports } = new webAssembly.Instance(compiled, { env: { memory: memory.memory } });
  const kernels = exports as Record<string, Kernel | undefined>;
  const blockSums = memory.allocate(2 * sumsAtOnce);
  const sums = new Float64Array(blockSums.buffer, blockSums.byteOffset, sumsAtOnce);

  /** Runs a kernel over all whole registers of the vectors, and `plain` over what is left. True if both say so. */
  function run(
    name: string,
    vectors: readonly Float32Array[],
    scalars: Iterable<number>,
    plain: (rest: readonly Float32Array[]) => boolean,
  ): boolean {
    const kernel = kernels[name];
    const { length } = vectors[0];
    for (const vector of vectors) invariant(vector.length === length, 'kernels take vectors of one length');
    if (kernel === undefined || !vectors.every((vector) => memory.holds(vector))) return plain(vectors);
    const count = length - (length % 4);
    const addresses = vectors.map((vector) => vector.byteOffset);
    const result = kernel(count, ...addresses, ...scalars) !== 0;
    const rest = count === length || plain(vectors.map((vector) => vector.subarray(count)));
    return result && rest;
  }

  return {
    name: 'simd',
    ...simdCodecs(memory, exports),
    allocate: (length) => memory.allocate(length),
    add: (target, source) =>
      run('add', [target, source], [], ([restOfTarget, restOfSource]) =>
        plainKernels.add(restOfTarget, restOfSource),
      ),
    scale: (out, source, factor) =>
      run('scale', [out, source], [factor], ([restOfOut, restOfSource]) =>
        plainKernels.scale(restOfOut, restOfSource, factor),
      ),
    divide(values, divisor) {
      // Of two float32 the quotient in float64, rounded again, is their quotient in float32. A divisor that is no float32 is left to the plain loop.
      const name = Math.fround(divisor) === divisor ? 'divide' : 'none';
      run(name, [values], [divisor], ([rest]) => {
        plainKernels.divide(rest, divisor);
        return true;
      });
    },
    clip(values, bound) {
      run('clip', [values], [bound], ([rest]) => {
        plainKernels.clip(rest, bound);
        return true;
      });
    },
    allFinite: (values) => run('allFinite', [values], [], ([rest]) => plainKernels.allFinite(rest)),
    blockSquares(values) {
      const kernel = kernels.blockSquares;
      if (kernel === undefined || !memory.holds(values)) return blockSquares(values);
      const result = new Float64Array(Math.ceil(values.length / blockElements));
      const wholeBlocks = Math.floor(values.length / blockElements);
      for (let block = 0; block < wholeBlocks; block += sumsAtOnce) {
        const blocks = Math.min(sumsAtOnce, wholeBlocks - block);
        kernel(blocks * blockElements, values.byteOffset + block * blockElements * 4, sums.byteOffset);
        result.set(sums.subarray(0, blocks), block);
      }
      result.set(blockSquares(values.subarray(wholeBlocks * blockElements)), wholeBlocks);
      return result;
    },
    update(optimizer, parametersOut, parametersIn, gradient, slots, step, shape) {
      const { rule } = optimizer;
      if (rule.wholeTensors) {
        optimizer.update(parametersOut, parametersIn, gradient, slots, step, shape);
        return;
      }
      invariant(
        slots.length === optimizer.slots.length,
        `${optimizer.name} takes ${optimizer.slots.length} slots`,
      );
      const scalars = Float32Array.from(rule.scalars(step));
      const own = slots.slice(0, rule.slots.length);
      run(rule.kernel, [parametersOut, parametersIn, gradient, ...own], scalars, (rest) => {
        const [out, parameters, restOfGradient, ...restOfSlots] = rest;
        rule.apply(out, parameters, restOfGradient, restOfSlots, scalars, [out.length]);
        return true;
      });
      const keep = optimizer.averageKeepAt(step.count);
      if (keep === undefined) return;
      run('average', [slots[rule.slots.length], parametersOut], [keep, 1 - keep], ([average, values]) => {
        averageInto(average, values, keep);
        return true;
      });
    },
  };
}

/** Block sums leave the memory in groups of this many. */
const sumsAtOnce = 1024;

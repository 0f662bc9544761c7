import { decodeBlocks, encodeBlocks } from '../codec/blocks.ts';
import { invariant } from '../errors/invariant.ts';
import { clipByValue } from '../optimizer/clip.ts';
import { blockSquares } from '../reduction/blockSquares.ts';
import { addInto } from '../reduction/TreeSum.ts';
import type { VectorKernels } from './VectorKernels.ts';

/** Plain loops over arrays on the heap. */
export const plainKernels: VectorKernels = {
  name: 'plain',
  allocate: (length) => new Float32Array(length),
  add(target, source) {
    invariant(target.length === source.length, 'kernels take vectors of one length');
    const finite = allFinite(source);
    addInto(target, source);
    return finite;
  },
  scale(out, source, factor) {
    invariant(out.length === source.length, 'kernels take vectors of one length');
    const finite = allFinite(source);
    const rounded = Math.fround(factor);
    for (let index = 0; index < source.length; index++) out[index] = source[index] * rounded;
    return finite;
  },
  divide(values, divisor) {
    for (let index = 0; index < values.length; index++) values[index] /= divisor;
  },
  clip: clipByValue,
  allFinite,
  blockSquares,
  update: (optimizer, ...vectors) => optimizer.update(...vectors),
  encode: encodeBlocks,
  decode: decodeBlocks,
};

function allFinite(values: Float32Array): boolean {
  for (let index = 0; index < values.length; index++) if (!Number.isFinite(values[index])) return false;
  return true;
}

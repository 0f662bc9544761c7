import { webAssembly } from '../webassembly/webAssembly.ts';
import { plainKernels } from './plainKernels.ts';
import { createSimdKernels } from './simdKernels.ts';
import type { VectorKernels } from './VectorKernels.ts';

/** SIMD kernels over a memory of their own, or the plain loops where the engine runs without WebAssembly (`node --jitless`). The bits are the same. */
export function createKernels(): VectorKernels {
  return (webAssembly as unknown) === undefined ? plainKernels : createSimdKernels();
}

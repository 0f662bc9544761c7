import type { OptimizerSpec } from '@tributary/core/job/JobSpec.ts';
import { createSimdKernels } from '@tributary/core/kernels/simdKernels.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';

/** Matrices of the size that methods on whole tensors are made for; the others do not care. */
const side = 128;
const matrices = 64;
const million = createLayout(
  Array.from({ length: matrices }, (_, index) => ({ name: `matrix${index}`, shape: [side, side] })),
);
const roundsMax = 25;

/** What a server takes to update a million parameters (2^20), ms on one core: the fastest of some rounds, since others' work only ever slows one down. */
export function measureUpdate(spec: OptimizerSpec): number {
  const optimizer = createOptimizer(spec);
  const { learningRate } = optimizer.hyperparameters;
  const kernels = createSimdKernels();
  const vector = (length: number) => kernels.allocate(length).fill(1e-3);
  const parameters = vector(million.length);
  const gradient = vector(million.length);
  for (let i = 0; i < million.length; i++) gradient[i] = 1e-3 * Math.sin(i);
  const slots = optimizer.slotLayouts(million).map(({ name, layout }) => ({
    layout,
    values: optimizer.beginSlot(name, vector(layout.length), parameters),
  }));
  // Element by element it is one call; else one for each tensor.
  const pieces = optimizer.wholeTensors ? million.tensors.map((_, index) => index) : [undefined];
  let best = Number.POSITIVE_INFINITY;
  let total = 0;
  // In the first round some methods only find where to begin.
  for (let round = 1; round <= 2 || (round <= roundsMax && total < 500); round++) {
    const start = performance.now();
    for (const piece of pieces) {
      const part = (values: Float32Array, layout = million) => {
        if (piece === undefined) return values;
        const { offset, length } = layout.tensors[piece];
        return values.subarray(offset, offset + length);
      };
      const step = { count: round, learningRate: Number(learningRate) };
      const state = slots.map(({ values, layout }) => part(values, layout));
      const p = part(parameters);
      kernels.update(
        optimizer,
        p,
        p,
        part(gradient),
        state,
        step,
        piece === undefined ? undefined : [side, side],
      );
    }
    const ms = performance.now() - start;
    if (round > 1) best = Math.min(best, ms);
    total += ms;
  }
  return best;
}

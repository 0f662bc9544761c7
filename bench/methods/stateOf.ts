import type { OptimizerSpec } from '@tributary/core/job/JobSpec.ts';
import { createLayout, type Layout } from '@tributary/core/layout/Layout.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { createStepMethod, isStepMethod } from '@tributary/worker/methods/table.ts';

/** What a method keeps on the servers beside the parameters of the model. */
export interface MethodState {
  readonly names: readonly string[];
  /** Of the model, float32. */
  readonly bytesPerParameter: number;
}

export function stateOf(spec: OptimizerSpec, model: Layout): MethodState {
  const parts = isStepMethod(spec)
    ? createStepMethod(spec, model).state.map(({ name, shape }) => ({
        name,
        layout: createLayout([{ name, shape }]),
      }))
    : createOptimizer(spec).slotLayouts(model);
  return {
    names: parts.map(({ name }) => name),
    bytesPerParameter: parts.reduce((sum, { layout }) => sum + 4 * layout.length, 0) / model.length,
  };
}

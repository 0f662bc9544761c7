import { invariant } from '../errors/invariant.ts';
import { TributaryError } from '../errors/TributaryError.ts';
import type { OptimizerSpec } from '../job/JobSpec.ts';
import { createLayout, type Layout } from '../layout/Layout.ts';
import { accumulatedSlot, averageSlot } from '../layout/slotLayout.ts';
import { assign } from './assign.ts';
import type { Method, Optimizer, Slot } from './Optimizer.ts';
import { resolveOptions, rowNamed } from './options.ts';
import { optimizers } from './table.ts';

/** Throws INVALID_ARGUMENT for an unknown method or hyperparameter, or one out of range; the hint lists what is possible. */
export function createOptimizer(spec: OptimizerSpec): Optimizer {
  const row: Method = spec.name === 'assign' ? assign : rowNamed('optimizer', optimizers, spec.name);
  const hyperparameters = resolveOptions(
    `optimizer "${spec.name}"`,
    row.hyperparameters,
    spec.hyperparameters,
    row.source,
  );
  const rule = row.bind(hyperparameters);
  const { averageKeep, accumulates } = spec;
  const ownAverage = rule.slots.some(({ name }) => name === averageSlot);
  if (averageKeep !== undefined && ownAverage) {
    throw new TributaryError('INVALID_ARGUMENT', `optimizer "${spec.name}" averages the parameters itself`, {
      hint: 'Leave averaging out.',
    });
  }
  const slots: readonly Slot[] = [
    ...rule.slots,
    ...(averageKeep === undefined ? [] : [{ name: averageSlot, initial: 'parameters' } as const]),
    ...(accumulates ? [{ name: accumulatedSlot, initial: 0 }] : []),
  ];
  /** In the beginning shorter, so that the first parameters are soon forgotten. */
  const averageKeepAt = (count: number) => averageKeep && Math.min(averageKeep, (1 + count) / (10 + count));
  const slotNamed = (name: string): Slot => {
    const slot = slots.find((candidate) => candidate.name === name);
    invariant(slot !== undefined, `${spec.name} has no slot ${name}`);
    return slot;
  };
  return {
    name: spec.name,
    hyperparameters,
    slots: slots.map(({ name }) => name),
    wholeTensors: rule.wholeTensors === true,
    rule,
    averageKeepAt,
    slotLayouts: (layout) => slots.map((slot) => ({ name: slot.name, layout: slotLayout(slot, layout) })),
    beginSlot(name, values, parameters) {
      const { initial } = slotNamed(name);
      if (initial === 'parameters') values.set(parameters);
      else values.fill(initial);
      return values;
    },
    update(parametersOut, parametersIn, gradient, given, step, shape = [parametersIn.length]) {
      checkUpdate(slots, [parametersOut, parametersIn, gradient], given);
      rule.apply(parametersOut, parametersIn, gradient, given, Float32Array.from(rule.scalars(step)), shape);
      const keep = averageKeepAt(step.count);
      if (keep !== undefined) averageInto(given[rule.slots.length], parametersOut, keep);
    },
  };
}

/** average <- keep average + (1 - keep) values, each product rounded to float32. */
export function averageInto(average: Float32Array, values: Float32Array, keep: number): void {
  const [kept, taken] = [Math.fround(keep), Math.fround(1 - keep)];
  for (let i = 0; i < average.length; i++) {
    average[i] = Math.fround(kept * average[i]) + Math.fround(taken * values[i]);
  }
}

/** A broken invariant unless the vectors are as many and as long as the slots say. */
function checkUpdate(
  slots: readonly Slot[],
  vectors: readonly Float32Array[],
  given: readonly Float32Array[],
): void {
  invariant(given.length === slots.length, `an update takes ${slots.length} slots`);
  const alike = given.filter((_, index) => slots[index].shape === undefined);
  for (const array of [...vectors, ...alike]) {
    invariant(array.length === vectors[0].length, 'an update takes arrays of one length');
  }
}

function slotLayout({ shape }: Slot, layout: Layout): Layout {
  if (shape === undefined) return layout;
  const tensors = layout.tensors.map((tensor) => ({
    name: tensor.name,
    shape: tensor.length === 0 ? [0] : shape(tensor.shape),
  }));
  return createLayout(tensors);
}

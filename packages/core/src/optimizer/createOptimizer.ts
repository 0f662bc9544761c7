import { invariant } from '../errors/invariant.ts';
import type { OptimizerSpec } from '../job/JobSpec.ts';
import { assign } from './assign.ts';
import type { Method, Optimizer } from './Optimizer.ts';
import { resolveOptions, rowNamed } from './options.ts';
import { optimizers } from './table.ts';

/** Throws INVALID_ARGUMENT for an unknown method or hyperparameter, or one out of range; the hint lists what is possible. */
export function createOptimizer(spec: OptimizerSpec): Optimizer {
  const row: Method = spec.name === 'assign' ? assign : rowNamed('optimizer', optimizers, spec.name);
  const hyperparameters = resolveOptions(
    `optimizer "${spec.name}"`,
    row.hyperparameters,
    spec.hyperparameters,
  );
  const rule = row.bind(hyperparameters);
  return {
    name: spec.name,
    hyperparameters,
    slots: rule.slots.map(({ name }) => name),
    rule,
    initialSlotValue(name) {
      const slot = rule.slots.find((candidate) => candidate.name === name);
      invariant(slot !== undefined, `${spec.name} has no slot ${name}`);
      return slot.initial;
    },
    update(parametersOut, parametersIn, gradient, slots, step) {
      invariant(slots.length === rule.slots.length, `${spec.name} takes ${rule.slots.length} slots`);
      for (const array of [parametersOut, gradient, ...slots]) {
        invariant(array.length === parametersIn.length, 'an update takes arrays of one length');
      }
      rule.apply(parametersOut, parametersIn, gradient, slots, Float32Array.from(rule.scalars(step)));
    },
  };
}

import { nearestName } from '@tributary/core/errors/nearestName.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { OptimizerSpec } from '@tributary/core/job/JobSpec.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { resolveOptions } from '@tributary/core/optimizer/options.ts';
import { optimizers } from '@tributary/core/optimizer/table.ts';
import { kfac } from './kfac/kfac.ts';
import { lbfgs } from './lbfgs.ts';
import { newton } from './newton.ts';
import { newtonCg } from './newtonCg.ts';
import { quantum } from './quantum.ts';
import { quantumNaturalGradient } from './quantumNaturalGradient.ts';
import type { StepMethod } from './StepMethod.ts';
import type { StepMethodRow } from './StepMethodRow.ts';

/** Every method that computes whole steps in the workers, by name. */
export const stepMethods = {
  newton,
  'newton-cg': newtonCg,
  lbfgs,
  kfac,
  quantum,
  'quantum-natural-gradient': quantumNaturalGradient,
} satisfies Readonly<Record<string, StepMethodRow>>;

export function isStepMethod({ name }: OptimizerSpec): boolean {
  return Object.hasOwn(stepMethods, name);
}

/** For a model of this layout. Throws INVALID_ARGUMENT for a wrong option, and for a model on which it cannot work. */
export function createStepMethod(spec: OptimizerSpec, model: Layout): StepMethod {
  const row = stepMethods[spec.name as keyof typeof stepMethods] as StepMethodRow;
  return row.create(resolveHyperparameters(spec), model);
}

/** Throws INVALID_ARGUMENT unless it is an optimizer or a method with options that it has, saying what is possible. */
export function checkOptimizer(spec: OptimizerSpec): void {
  const names = [...Object.keys(optimizers), ...Object.keys(stepMethods)];
  if (!names.includes(spec.name)) {
    const nearest = nearestName(spec.name, names);
    const suggestion = nearest === undefined ? '' : `Did you mean "${nearest}"? `;
    throw new TributaryError('INVALID_ARGUMENT', `there is no optimizer "${spec.name}"`, {
      hint: `${suggestion}Use one of: ${names.join(', ')}.`,
    });
  }
  if (isStepMethod(spec)) resolveHyperparameters(spec);
  else createOptimizer(spec);
}

function resolveHyperparameters({ name, hyperparameters }: OptimizerSpec) {
  const row = stepMethods[name as keyof typeof stepMethods] as StepMethodRow;
  return resolveOptions(`optimizer "${name}"`, row.hyperparameters, hyperparameters, row.source);
}

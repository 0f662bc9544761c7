import { optimizers } from '@tributary/core/optimizer/table.ts';
import { stepMethods } from '@tributary/worker/methods/table.ts';

const rows: Readonly<Record<string, { readonly hyperparameters: object }>> = {
  ...optimizers,
  ...stepMethods,
};

/** What a method may be told; nothing of a method that there is not. */
export function hyperparameterNames(method: string): string[] {
  return Object.keys(rows[method]?.hyperparameters ?? {});
}

export function hasLearningRate(method: string): boolean {
  return hyperparameterNames(method).includes('learningRate');
}

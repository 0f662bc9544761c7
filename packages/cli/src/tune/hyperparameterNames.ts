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

/** Undefined of a method that has none. */
export function defaultLearningRate(method: string): number | undefined {
  const option = Object.entries(rows[method]?.hyperparameters ?? {}).find(
    ([name]) => name === 'learningRate',
  );
  return option?.[1].initial;
}

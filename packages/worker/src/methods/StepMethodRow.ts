import type { Layout } from '@tributary/core/layout/Layout.ts';
import type { OptionTable, Resolved } from '@tributary/core/optimizer/options.ts';
import type { StepMethod } from './StepMethod.ts';

/** A method of the table: what it takes, and how it is made for a model. */
export interface StepMethodRow<Table extends OptionTable = OptionTable> {
  /** Authors and year: where to read what its options mean. */
  readonly source?: string;
  readonly hyperparameters: Table;
  /** Throws INVALID_ARGUMENT if it cannot work on such a model. */
  create(hyperparameters: Resolved<Table>, model: Layout): StepMethod;
}

/** Lets the compiler infer a method's hyperparameter names from its table. */
export function stepMethod<const Table extends OptionTable>(row: StepMethodRow<Table>): StepMethodRow<Table> {
  return row;
}

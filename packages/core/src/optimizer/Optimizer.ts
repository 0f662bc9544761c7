import type { OptionTable, Resolved } from './options.ts';

/**
 * An optimizer bound to its hyperparameters: the rule by which a shard turns a gradient into new parameters.
 *
 * Every rule is element-wise, so that any cut of the flat vector into shards or chunks gives the same bits. Each operation is rounded to float32
 * (`f` in the loops): so the plain loops here and the SIMD kernels (see kernels/) agree bit for bit. In some rules a product is added in
 * float64 and rounded once, as a fused multiply-add does: where few terms make the step, that keeps digits when they cancel near 0, and
 * memory is slower than the arithmetic anyway. What depends on the step alone (a bias correction, say) is computed once per update in float64
 * and then rounded.
 */
export interface Optimizer {
  readonly name: string;
  /** All of them: given or default. */
  readonly hyperparameters: Readonly<Record<string, number | boolean>>;
  /** Names of the state vectors, each as long as the parameters; the order in which `update` takes them. */
  readonly slots: readonly string[];
  /** What every element of a slot is before the first update. */
  initialSlotValue(slot: string): number;
  /**
   * One update of all elements. Reads `parametersIn` and `gradient`, writes `parametersOut` (which may be the same array as `parametersIn`) and the slots.
   * All arrays are of one length. The caller has made sure that the gradient is finite.
   */
  update(
    parametersOut: Float32Array,
    parametersIn: Float32Array,
    gradient: Float32Array,
    slots: readonly Float32Array[],
    step: UpdateStep,
  ): void;
  /** The rule behind `update`, for those that run it by other means. */
  readonly rule: Rule;
}

/** What an update depends on beside the vectors. */
export interface UpdateStep {
  /** Updates so far + 1: the t of Adam's paper. */
  readonly count: number;
  /** After the schedule. */
  readonly learningRate: number;
}

/** A method of the table: what it takes, and how it makes a rule of that. */
export interface Method<Table extends OptionTable = OptionTable> {
  readonly hyperparameters: Table;
  bind(hyperparameters: Resolved<Table>): Rule;
}

export interface Rule {
  /** Which kernel computes it: the method's name, or a variant's. */
  readonly kernel: string;
  readonly slots: readonly { readonly name: string; readonly initial: number }[];
  /** The constants of one update, in float64; `apply` gets them rounded to float32. */
  scalars(step: UpdateStep): readonly number[];
  /** Out of place, over whole arrays of one length. */
  apply(
    out: Float32Array,
    parameters: Float32Array,
    gradient: Float32Array,
    slots: readonly Float32Array[],
    scalars: Float32Array,
  ): void;
}

/** Lets the compiler infer a method's hyperparameter names from its table. */
export function method<const Table extends OptionTable>(row: Method<Table>): Method<Table> {
  return row;
}

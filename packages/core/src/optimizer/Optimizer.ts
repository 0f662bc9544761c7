import type { Layout } from '../layout/Layout.ts';
import type { SlotLayout } from '../layout/slotLayout.ts';
import type { OptionTable, Resolved } from './options.ts';

/**
 * An optimizer bound to its hyperparameters: the rule by which a shard turns a gradient into new parameters.
 *
 * Most rules are element-wise, so that any cut of the flat vector into shards or chunks gives the same bits; the others work on whole tensors, which are
 * then never cut. Of an element-wise rule each operation is rounded to float32
 * (`f` in the loops): so the plain loops here and the SIMD kernels (see kernels/) agree bit for bit. In some rules a product is added in
 * float64 and rounded once, as a fused multiply-add does: where few terms make the step, that keeps digits when they cancel near 0, and
 * memory is slower than the arithmetic anyway. What depends on the step alone (a bias correction, say) is computed once per update in float64
 * and then rounded.
 */
export interface Optimizer {
  readonly name: string;
  /** All of them: given or default. */
  readonly hyperparameters: Readonly<Record<string, number | boolean>>;
  /** Names of the state vectors; the order in which `update` takes them. */
  readonly slots: readonly string[];
  /** It works on one tensor at a time, and on all of it: no shard may have a part of a tensor. */
  readonly wholeTensors: boolean;
  /** How the slots of a model of this layout lie, tensor by tensor; that of an element-wise rule as the parameters do. */
  slotLayouts(layout: Layout): readonly SlotLayout[];
  /** Fills a slot with what it is before the first update, and returns it. */
  beginSlot(slot: string, values: Float32Array, parameters: Float32Array): Float32Array;
  /**
   * One update of all elements; with `wholeTensors` of one tensor of this shape. Reads `parametersIn` and `gradient`, writes `parametersOut` and the slots.
   * `parametersOut` may be the same array as `parametersIn` and, unless `wholeTensors`, as `gradient`. Parameters, gradient and, where a slot has no other layout, slots are of one length. The caller has made
   * sure that the gradient is finite.
   */
  update(
    parametersOut: Float32Array,
    parametersIn: Float32Array,
    gradient: Float32Array,
    slots: readonly Float32Array[],
    step: UpdateStep,
    shape?: readonly number[],
  ): void;
  /** The rule behind `update`, for those that run it by other means; and if the first slot behind those of the rule is an average of the parameters, what of it an update keeps. */
  readonly rule: Rule;
  averageKeepAt(count: number): number | undefined;
}

/** What an update depends on beside the vectors. */
export interface UpdateStep {
  /** Updates so far + 1: the t of Adam's paper. */
  readonly count: number;
  /** After the schedule. */
  readonly learningRate: number;
  /** The numbers of a rule that has `shared`, now. */
  readonly shared?: readonly number[];
}

/** A method of the table: what it takes, and how it makes a rule of that. */
export interface Method<Table extends OptionTable = OptionTable> {
  /** Authors and year: where to read what its options mean. */
  readonly source?: string;
  readonly hyperparameters: Table;
  /** It has a schedule of its own, and takes no other. */
  readonly constantRate?: true;
  bind(hyperparameters: Resolved<Table>): Rule;
}

export interface Slot {
  readonly name: string;
  /** What its elements are before the first update; `parameters`: as the parameters then are. */
  readonly initial: number | 'parameters';
  /** Of a rule on whole tensors, where it is not that of the tensor: its shape for a tensor of this shape. */
  readonly shape?: (tensor: readonly number[]) => readonly number[];
}

/**
 * Numbers that all shards of a model have alike, found anew before each update from sums over the slots of the whole model. They are kept beside the slots.
 * Only synchronous jobs can have them.
 */
export interface SharedNumbers {
  readonly begin: readonly number[];
  /** Which sums are exchanged: of the elements of a slot, or of their absolute values. */
  readonly sums: readonly { readonly slot: string; readonly absolute?: true }[];
  next(numbers: readonly number[], sums: readonly number[]): readonly number[];
}

export interface Rule {
  /** Which kernel computes it: the method's name, or a variant's. A rule on whole tensors has none. */
  readonly kernel: string;
  readonly wholeTensors?: true;
  readonly slots: readonly Slot[];
  readonly shared?: SharedNumbers;
  /** The constants of one update, in float64; `apply` gets them rounded to float32. */
  scalars(step: UpdateStep): readonly number[];
  /** Out of place, over whole arrays of one length; with `wholeTensors` over one tensor of this shape. */
  apply(
    out: Float32Array,
    parameters: Float32Array,
    gradient: Float32Array,
    slots: readonly Float32Array[],
    scalars: Float32Array,
    shape: readonly number[],
  ): void;
}

/** Lets the compiler infer a method's hyperparameter names from its table. */
export function method<const Table extends OptionTable>(row: Method<Table>): Method<Table> {
  return row;
}

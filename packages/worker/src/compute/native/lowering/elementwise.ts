import { arranged, isInOrder, materialised } from './arrange.ts';
import type { GraphBuilder } from './GraphBuilder.ts';
import { type Atom, aligned, contiguous, newAtom, type Tensor, View, withRank } from './View.ts';

/** Emits an operation on operands that broadcast against each other, giving a result of `shape`. */
export type Emit = (operands: readonly Tensor[], shape: readonly number[]) => Tensor;

/** One digit of the result's index: the atom of each operand that it is, or undefined for an operand that is the same along it. */
interface Digit {
  readonly size: number;
  readonly atoms: readonly (Atom | undefined)[];
}

/**
 * An elementwise operation on views. The operands need not be in their logical order, only in the same one, so the cheapest is taken:
 * that in which the fewest elements have to move. The result is a view in that order. Nothing is computed along digits that all operands repeat.
 */
export function elementwise(graph: GraphBuilder, operands: readonly View[], emit: Emit): View {
  const views = alignOperands(graph, operands);
  const axes = views[0].axes.map((_, axis) => digitsOf(views, axis));
  const computed = axes.flat().filter(({ atoms }) => atoms.some((atom) => atom !== undefined));
  const order = cheapestOrder(views, computed);
  const groups = groupDigits(views, order);

  const tensors = views.map((view, index) => {
    if (view.storage.length === 0) return graph.reshape(view.tensor, []);
    const inOrder = view.withAxes([atomsOf(order, index)]);
    return arranged(
      graph,
      inOrder,
      groups.map((group) => (group[0].atoms[index] === undefined ? 1 : sizeOfDigits(group))),
    );
  });
  const result = emit(tensors, groups.map(sizeOfDigits));

  const resultAtoms = new Map(order.map((digit) => [digit, newAtom(digit.size)]));
  return new View(
    result,
    [...resultAtoms.values()],
    axes.map((axis) => axis.map((digit) => resultAtoms.get(digit) ?? newAtom(digit.size, true))),
  );
}

/** Operands of one rank whose atoms agree in size, axis by axis; materialised if no splitting makes them agree. */
export function alignOperands(graph: GraphBuilder, operands: readonly View[]): readonly View[] {
  const rank = Math.max(...operands.map((view) => view.axes.length));
  const views = operands.map((view) => withRank(view, rank));
  return aligned(views) ?? aligned(views.map((view) => contiguous(materialised(graph, view))))!;
}

function digitsOf(views: readonly View[], axis: number): Digit[] {
  const length = Math.max(...views.map((view) => view.axes[axis].length));
  return Array.from({ length }, (_, position) => {
    const atoms = views.map((view) => view.axes[axis][position] as Atom | undefined);
    const { size } = atoms.find((atom) => atom !== undefined)!;
    return { size, atoms: atoms.map((atom) => (atom?.repeated ? undefined : atom)) };
  });
}

function atomsOf(digits: readonly Digit[], operand: number): Atom[] {
  return digits.flatMap(({ atoms }) => atoms[operand] ?? []);
}

/** Tries the logical order, then the order of each operand's tensor; digits that this operand repeats go first, where broadcasting is cheapest. */
function cheapestOrder(views: readonly View[], digits: readonly Digit[]): readonly Digit[] {
  const candidates = [
    digits,
    ...views.flatMap((view, operand) => {
      if (view.storage.length < 2) return [];
      const place = ({ atoms }: Digit) =>
        atoms[operand] === undefined ? -1 : view.storage.indexOf(atoms[operand]);
      return [digits.toSorted((a, b) => place(a) - place(b))];
    }),
  ];
  const cost = (order: readonly Digit[]) =>
    views.reduce((moved, view, operand) => {
      const stays = isInOrder(view.withAxes([atomsOf(order, operand)]));
      return moved + (stays ? 0 : view.storage.reduce((size, atom) => size * atom.size, 1));
    }, 0);
  const costs = candidates.map(cost);
  return candidates[costs.indexOf(Math.min(...costs))];
}

/**
 * The axes in which the operation is emitted. Neighbouring digits become one axis where every operand has either all or none of them.
 * The shape that the largest operand has already is preferred, which saves a Reshape.
 */
function groupDigits(views: readonly View[], order: readonly Digit[]): Digit[][] {
  const sameOperands = (a: Digit, b: Digit) =>
    a.atoms.every((atom, operand) => (atom === undefined) === (b.atoms[operand] === undefined));
  const largest = views.reduce((a, b) => (b.storage.length > 0 && size(b) > size(a) ? b : a));
  const boundaries = new Set<number>([1]);
  largest.tensor.shape.toReversed().reduce((product, dimension) => {
    boundaries.add(product * dimension);
    return product * dimension;
  }, 1);
  const kept: Digit[][] = [];
  const merged: Digit[][] = [];
  let below = order.reduce((product, digit) => product * digit.size, 1);
  for (const digit of order) {
    const joins = merged.length > 0 && sameOperands(merged.at(-1)!.at(-1)!, digit);
    if (joins) merged.at(-1)!.push(digit);
    else merged.push([digit]);
    if (joins && !boundaries.has(below)) kept.at(-1)!.push(digit);
    else kept.push([digit]);
    below /= digit.size;
  }
  const nonUnit = largest.tensor.shape.filter((dimension) => dimension !== 1);
  const keepsShape =
    kept.length === largest.tensor.shape.length &&
    nonUnit.length === kept.length &&
    kept.every((group, axis) => sizeOfDigits(group) === nonUnit[axis]);
  return keepsShape ? kept : merged;
}

function size(view: View): number {
  return view.storage.reduce((product, atom) => product * atom.size, 1);
}

function sizeOfDigits(digits: readonly Digit[]): number {
  return digits.reduce((product, digit) => product * digit.size, 1);
}

import { invariant } from '@tributary/core/errors/invariant.ts';
import type { GraphBuilder } from './GraphBuilder.ts';
import { broadcastTo, contiguous, regrouped, type Tensor, type View } from './View.ts';

/** Whether the view's tensor, as it lies, has its elements in the view's logical order (repetitions aside). */
export function isInOrder(view: View): boolean {
  const order = view.order;
  return order.every((atom, index) => atom === view.storage[index]);
}

/** A tensor with the view's elements in logical order, each once: repeated atoms are left out. Its shape is `shape`, of as many elements. */
export function arranged(graph: GraphBuilder, view: View, shape: readonly number[]): Tensor {
  if (isInOrder(view)) return graph.reshape(view.tensor, shape);
  const runs = contiguousRuns(view);
  const byStorage = runs.toSorted((a, b) => a.start - b.start);
  const source = graph.reshape(
    view.tensor,
    byStorage.map((run) => run.size),
  );
  const transposedTensor = graph.emit(
    'Transpose',
    [source],
    runs.map((run) => run.size),
    view.type,
    { perm: runs.map((run) => byStorage.indexOf(run)) },
  );
  return graph.reshape(transposedTensor, shape);
}

/** The array that the view stands for, with all its repetitions, row-major. */
export function materialised(graph: GraphBuilder, view: View): Tensor {
  const shape = view.shape;
  const atoms = view.axes.flat();
  if (!atoms.some((atom) => atom.repeated)) return arranged(graph, view, shape);
  const sizes = atoms.map((atom) => atom.size);
  const compact = arranged(
    graph,
    view,
    atoms.map((atom) => (atom.repeated ? 1 : atom.size)),
  );
  return graph.reshape(graph.emit('Expand', [compact, graph.integers(sizes)], sizes, view.type), shape);
}

/** The view of another shape; the data are rearranged only where the shapes have no common digits. */
export function reshaped(graph: GraphBuilder, view: View, shape: readonly number[]): View {
  return regrouped(view, shape) ?? contiguous(materialised(graph, view), shape);
}

/** The view as another type. */
export function cast(graph: GraphBuilder, view: View, type: View['type']): View {
  return view.over(graph.cast(view.tensor, type));
}

/** A view that is one number everywhere. */
export function uniformView(
  graph: GraphBuilder,
  value: number,
  type: View['type'],
  shape: readonly number[] = [],
): View {
  return broadcastTo(contiguous(graph.scalar(value, type)), shape);
}

interface Run {
  start: number;
  end: number;
  size: number;
}

/** The view's atoms in logical order, joined where neighbours are neighbours in the tensor too: fewer axes to transpose. */
function contiguousRuns(view: View): Run[] {
  const runs: Run[] = [];
  for (const atom of view.order) {
    const position = view.storage.indexOf(atom);
    invariant(position >= 0, 'an atom of a view is neither repeated nor in its tensor');
    const last = runs.at(-1);
    if (last !== undefined && last.end === position) {
      last.end++;
      last.size *= atom.size;
    } else {
      runs.push({ start: position, end: position + 1, size: atom.size });
    }
  }
  return runs;
}

import type { ElementType } from '../onnx/OnnxModel.ts';

/*
 * The idea of the lowering. Transpose, reshape and broadcast move no data: they only rename places. So none of them is ever emitted.
 * A value is a View: a contiguous tensor and a note on how to read it.
 *
 * The tensor's elements are numbered by a list of atoms, most significant first, as digits number integers. Each logical axis of the value is
 * again a list of atoms. Transposing permutes the axes; reshaping regroups atoms, splitting one in two where a boundary falls inside it;
 * broadcasting adds atoms that are repeated, that is, are in no place of the tensor. What consumes a value decides whether it must be
 * rearranged at all: a matrix product reads both orders, a sum does not care, an elementwise operation only needs its operands to agree.
 *
 * Rejected: strides. They describe the same views, but two stride lists cannot be matched digit by digit, which is how `dot` finds
 * which digits are batch, rows, columns and contraction.
 */

/** One digit of an index: `size` values. Compared by identity. A repeated atom says that the value is the same along it. */
export interface Atom {
  readonly size: number;
  readonly repeated: boolean;
}

/** A tensor in the graph, contiguous and row-major. */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** The number that every element is, if the tensor is such a constant. */
  readonly uniform: number | undefined;
}

export class View {
  readonly tensor: Tensor;
  /** The atoms that number the tensor's elements, most significant first; none is repeated, none has size 1. */
  readonly storage: readonly Atom[];
  /** Each logical axis as atoms, most significant first. An axis of size 1 has none. */
  readonly axes: readonly (readonly Atom[])[];

  constructor(tensor: Tensor, storage: readonly Atom[], axes: readonly (readonly Atom[])[]) {
    this.tensor = tensor;
    this.storage = storage;
    this.axes = axes;
  }

  get shape(): number[] {
    return this.axes.map(sizeOf);
  }

  get type(): ElementType {
    return this.tensor.type;
  }

  /** The logical order of the atoms that lie in the tensor. */
  get order(): Atom[] {
    return this.axes.flat().filter((atom) => !atom.repeated);
  }

  /** The same places read from another tensor of the same arrangement. */
  over(tensor: Tensor): View {
    return new View(tensor, this.storage, this.axes);
  }

  withAxes(axes: readonly (readonly Atom[])[]): View {
    return new View(this.tensor, this.storage, axes);
  }

  /** `atom` replaced by atoms of `sizes`, whose product is its size. */
  split(atom: Atom, sizes: readonly number[]): View {
    const parts = sizes.filter((size) => size !== 1).map((size) => newAtom(size, atom.repeated));
    const replace = (atoms: readonly Atom[]) => atoms.flatMap((other) => (other === atom ? parts : [other]));
    return new View(this.tensor, replace(this.storage), this.axes.map(replace));
  }
}

export function newAtom(size: number, repeated = false): Atom {
  return { size, repeated };
}

export function sizeOf(atoms: readonly Atom[]): number {
  return atoms.reduce((size, atom) => size * atom.size, 1);
}

/** A tensor read as it lies, as an array of `shape`. */
export function contiguous(tensor: Tensor, shape: readonly number[] = tensor.shape): View {
  const axes = shape.map((size) => (size === 1 ? [] : [newAtom(size)]));
  return new View(tensor, axes.flat(), axes);
}

export function transposed(view: View, permutation: readonly number[]): View {
  return view.withAxes(permutation.map((axis) => view.axes[axis]));
}

/** jax-js's broadcast: the axes `added` are new in `shape`, and others may grow from size 1. */
export function broadcast(view: View, shape: readonly number[], added: readonly number[]): View {
  let next = 0;
  const axes = shape.map((size, axis) => {
    if (!added.includes(axis)) {
      const own = view.axes[next++];
      if (sizeOf(own) === size) return own;
    }
    return size === 1 ? [] : [newAtom(size, true)];
  });
  return view.withAxes(axes);
}

/** NumPy's broadcasting: missing leading axes are added. */
export function broadcastTo(view: View, shape: readonly number[]): View {
  return broadcast(view, shape, [...Array(shape.length - view.axes.length).keys()]);
}

/** `view` with axes of size 1 put in front until it has `rank` axes. */
export function withRank(view: View, rank: number): View {
  return view.withAxes([...Array<Atom[]>(rank - view.axes.length).fill([]), ...view.axes]);
}

/** The view of another shape, or undefined where a boundary of the new shape falls inside an atom that cannot be split there. */
export function regrouped(view: View, shape: readonly number[]): View | undefined {
  if (shape.includes(0)) return undefined;
  let current = view;
  let axes = groupAtoms(current, shape);
  while (axes !== undefined && 'split' in axes) {
    current = current.split(axes.split, axes.sizes);
    axes = groupAtoms(current, shape);
  }
  return axes && current.withAxes(axes);
}

/** Deals the atoms out to axes of `shape`; stops at the first that must be split, and says how. */
function groupAtoms(
  view: View,
  shape: readonly number[],
): Atom[][] | { split: Atom; sizes: number[] } | undefined {
  const atoms = view.axes.flat();
  let next = 0;
  const axes: Atom[][] = [];
  for (const size of shape) {
    const axis: Atom[] = [];
    for (let missing = size; missing > 1; ) {
      const atom = atoms[next];
      if (missing % atom.size === 0) {
        axis.push(atom);
        missing /= atom.size;
        next++;
      } else if (atom.size % missing === 0) {
        return { split: atom, sizes: [missing, atom.size / missing] };
      } else {
        return undefined;
      }
    }
    axes.push(axis);
  }
  return axes;
}

/** The same views with the atoms of their axes split until, axis by axis, those of all views agree in size; undefined if they cannot. */
export function aligned(views: readonly View[]): View[] | undefined {
  const result = [...views];
  for (let axis = 0; axis < result[0].axes.length; axis++) {
    for (let position = 0; ; position++) {
      // Views of size 1 along the axis have no atoms there, and fit anything.
      const atoms = result.flatMap((view) =>
        view.axes[axis].length > 0 ? [view.axes[axis].at(position)] : [],
      );
      if (atoms.every((atom) => atom === undefined)) break;
      if (atoms.includes(undefined)) return undefined;
      const smallest = Math.min(...atoms.map((atom) => atom!.size));
      for (const [index, view] of result.entries()) {
        const atom = view.axes[axis].at(position);
        if (atom === undefined || atom.size === smallest) continue;
        if (atom.size % smallest !== 0) return undefined;
        result[index] = view.split(atom, [smallest, atom.size / smallest]);
      }
    }
  }
  return result;
}

import type { Layout, TensorSpec } from '@tributary/core/layout/Layout.ts';

/** A weight [inputs, outputs] and the bias [outputs] beside it, as `dense` of the network functions takes them. */
export interface DenseLayer {
  /** What their names have in common; the empty string if they have no more than `w` and `b`. */
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly w: TensorSpec;
  readonly b: TensorSpec;
}

/** The dense layers of a model as the names and shapes of its tensors show them: `hidden/w` [784, 256] beside `hidden/b` [256]. */
export function denseLayers({ tensors }: Layout): DenseLayer[] {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return tensors.flatMap((w) => {
    const path = /^(.*\/)?w$/.exec(w.name);
    const b = path && byName.get(`${path[1] ?? ''}b`);
    if (!b || w.shape.length !== 2 || b.shape.length !== 1 || b.shape[0] !== w.shape[1]) return [];
    const [inputs, outputs] = w.shape;
    return [{ name: (path[1] ?? '').slice(0, -1), inputs, outputs, w, b }];
  });
}

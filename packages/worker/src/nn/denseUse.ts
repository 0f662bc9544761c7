import type { numpy as np } from '@jax-js/jax';

/** Sees each use of a dense layer: its weight, its input [..., inputs] and its output before any activation, which it may replace. It consumes the output alone. */
export type DenseObserver = (w: np.Array, x: np.Array, y: np.Array) => np.Array;

let observer: DenseObserver | undefined;

/**
 * Runs a model while each of its dense layers is shown to `observe`: how methods that need a layer's inputs and the gradient at its outputs (K-FAC) come to
 * them, while a model stays a plain function. Tracing is synchronous, so that no other model runs meanwhile.
 */
export function observingDense<Result>(observe: DenseObserver, run: () => Result): Result {
  const outer = observer;
  observer = observe;
  try {
    return run();
  } finally {
    observer = outer;
  }
}

/** x w, plus b if there is one, shown to the observer if somebody observes. */
export function denseUse(
  w: np.Array,
  x: np.Array,
  compute: (w: np.Array, x: np.Array) => np.Array,
): np.Array {
  if (observer === undefined) return compute(w, x);
  const [keptW, keptX] = [w.ref, x.ref];
  const y = observer(w, x, compute(keptW, keptX));
  w.dispose();
  x.dispose();
  return y;
}

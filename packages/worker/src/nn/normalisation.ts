import { numpy as np } from '@jax-js/jax';

/** What a normalised value is multiplied by, and what is then added. */
export type ScaleAndOffset = { scale: np.Array; offset: np.Array };

/** Parameters of both normalisations, for `width` features or channels. */
export function initialNormalisation(width: number): ScaleAndOffset {
  return { scale: np.ones([width]), offset: np.zeros([width]) };
}

/** Each example's last axis to mean 0 and variance 1, then scaled (Ba et al., 2016). */
export function layerNorm({ scale, offset }: ScaleAndOffset, x: np.Array, epsilon = 1e-5): np.Array {
  return standardised(x, [x.ndim - 1], epsilon)
    .mul(scale)
    .add(offset);
}

/**
 * Each channel (axis 1) to mean 0 and variance 1 over the examples of the batch, and over pixels if there are any (Ioffe and Szegedy, 2015).
 * It always uses the statistics of the batch it is given, in evaluation too: a pure loss has nowhere to keep running ones.
 */
export function batchNorm({ scale, offset }: ScaleAndOffset, x: np.Array, epsilon = 1e-5): np.Array {
  const axes = x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const channels = [x.shape[1], ...x.shape.slice(2).map(() => 1)];
  return standardised(x, axes, epsilon).mul(scale.reshape(channels)).add(offset.reshape(channels));
}

/** In two passes: the mean of the squares minus the square of the mean loses every digit where the mean is large. */
function standardised(x: np.Array, axes: number[], epsilon: number): np.Array {
  const centred = x.ref.sub(x.mean(axes, { keepdims: true }));
  const variance = np.square(centred.ref).mean(axes, { keepdims: true });
  return centred.mul(np.reciprocal(np.sqrt(variance.add(epsilon))));
}

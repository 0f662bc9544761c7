import { lax, numpy as np } from '@jax-js/jax';

/*
 * Each is written so that neither its value nor its gradient overflows or cancels anywhere in float32 where the true one does not: exponentials
 * are taken of non-positive numbers only. The formulas of jax-js's own `nn` are Infinity or NaN beyond about +-89.
 */

/** max(0, x), with gradient 0 at 0: of equal operands, jax-js gives the first the gradient. */
export function relu(x: np.Array): np.Array {
  return np.maximum(0, x);
}

/** x for positive x, `slope` x otherwise. */
export function leakyRelu(x: np.Array, slope = 0.01): np.Array {
  return np.where(x.ref.greater(0), x.ref, x.mul(slope));
}

/** 1 / (1 + exp(-x)) */
export function sigmoid(x: np.Array): np.Array {
  const positive = x.ref.greaterEqual(0);
  const small = np.exp(negativeMagnitude(x));
  const reciprocal = np.reciprocal(small.ref.add(1));
  return np.where(positive, reciprocal.ref, small.mul(reciprocal));
}

/** log(sigmoid(x)) */
export function logSigmoid(x: np.Array): np.Array {
  return softplus(x.neg()).neg();
}

/** log(1 + exp(x)) */
export function softplus(x: np.Array): np.Array {
  return np.maximum(x.ref, 0).add(np.log1p(np.exp(negativeMagnitude(x))));
}

/** x sigmoid(x), also called swish. */
export function silu(x: np.Array): np.Array {
  return x.ref.mul(sigmoid(x));
}

/**
 * The Gaussian error linear unit in its tanh form (Hendrycks and Gimpel, 2016), written as x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3):
 * the same function with fewer operations. Beyond +-10, sigmoid is 0 or 1 to the last bit, and with that bound its plain formula cannot overflow.
 */
export function gelu(x: np.Array): np.Array {
  const above = np.maximum(-10, x);
  const bounded = np.minimum(10, above.ref);
  const factor = bounded.ref
    .mul(bounded.ref)
    .mul(-0.044715 * gain)
    .sub(gain);
  return above.mul(np.reciprocal(np.exp(factor.mul(bounded)).add(1)));
}

const gain = 2 * Math.sqrt(2 / Math.PI);

/** The Gaussian error linear unit itself: x times the standard normal distribution function. */
export function geluExact(x: np.Array): np.Array {
  return x.ref.mul(lax.erfc(x.mul(-Math.SQRT1_2)).mul(0.5));
}

/** log(sum(exp(x))) along `axis`, which disappears. */
export function logSumExp(x: np.Array, axis = -1): np.Array {
  const largest = lax.stopGradient(np.max(x.ref, axis, { keepdims: true }));
  const sum = np.exp(x.sub(largest.ref)).sum(axis);
  return np.log(sum).add(np.squeeze(largest, axis));
}

/** x - log(sum(exp(x))) along `axis`. */
export function logSoftmax(x: np.Array, axis = -1): np.Array {
  const shifted = x.ref.sub(lax.stopGradient(np.max(x, axis, { keepdims: true })));
  return shifted.ref.sub(np.log(np.exp(shifted).sum(axis, { keepdims: true })));
}

/** exp(x) / sum(exp(x)) along `axis`. */
export function softmax(x: np.Array, axis = -1): np.Array {
  const exponentials = np.exp(x.ref.sub(lax.stopGradient(np.max(x, axis, { keepdims: true }))));
  return exponentials.ref.div(exponentials.sum(axis, { keepdims: true }));
}

/** -|x| */
function negativeMagnitude(x: np.Array): np.Array {
  return np.where(x.ref.less(0), x.ref, x.neg());
}

import { lax, numpy as np } from '@jax-js/jax';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { logSoftmax, logSumExp } from './activations.ts';
import { fromStart } from './fromStart.ts';

/*
 * Every loss is a mean over the examples of the batch. With `weights`, one number per example (first axis), it is the weighted mean: a weight
 * of 0 leaves an example out, as padBatch does with those that only fill a batch up.
 */

/**
 * Mean of -log softmax(logits)[label]. `logits` has the classes as last axis; `labels` has the other axes, whole numbers.
 * A label that is no class stops the run with an error.
 */
export function crossEntropy(logits: np.Array, labels: np.Array, weights?: np.Array): np.Array {
  const shape = logits.shape.slice(0, -1);
  if (labels.shape.join() !== shape.join() || !String(labels.dtype).includes('int')) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `labels are ${labels.dtype} [${labels.shape.join(', ')}] for logits of the shape [${logits.shape.join(', ')}]`,
      { hint: `Labels must be int32 [${shape.join(', ')}].` },
    );
  }
  const classes = logits.shape.at(-1)!;
  const rows = logits.reshape([-1, classes]);
  const chosen = np.takeAlongAxis(rows.ref, fromStart(labels.reshape([-1, 1]), classes), 1).reshape([-1]);
  return weightedMean(logSumExp(rows).sub(chosen).reshape(shape), weights);
}

export interface DistillationOptions {
  /** T: the higher, the more of what the teacher thinks of the other classes counts. Default: 4. */
  readonly temperature?: number;
  /** Share of the labels in the loss, from 0 to 1; the rest is the teacher's. Default: 0.1. */
  readonly labelShare?: number;
  readonly weights?: np.Array;
}

/**
 * Learning from a teacher (Hinton, Vinyals and Dean, 2015, section 2):
 *
 *   labelShare * crossEntropy(logits, labels) + (1 - labelShare) * T^2 * KL(softmax(teacher / T) || softmax(logits / T))
 *
 * `teacher` has the teacher's logits, of the shape of `logits`: no gradient goes there. T^2 keeps the size of the gradients whatever the temperature.
 * Instead of their cross-entropy, which differs by a constant, the divergence is taken: it is 0 where student and teacher agree.
 */
export function distillation(
  logits: np.Array,
  teacher: np.Array,
  labels: np.Array,
  { temperature = 4, labelShare = 0.1, weights }: DistillationOptions = {},
): np.Array {
  if (!(temperature > 0 && Number.isFinite(temperature)) || !(labelShare >= 0 && labelShare <= 1)) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `distillation with the temperature ${temperature} and the share ${labelShare} of labels`,
      {
        hint: 'The temperature must be above 0, the share from 0 to 1. Source: Hinton, Vinyals & Dean, 2015.',
      },
    );
  }
  if (teacher.shape.join() !== logits.shape.join()) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `the teacher's logits have the shape [${teacher.shape.join(', ')}], the student's [${logits.shape.join(', ')}]`,
      { hint: 'Both must tell the same classes apart.' },
    );
  }
  const student = logSoftmax(logits.ref.mul(1 / temperature));
  const target = logSoftmax(lax.stopGradient(teacher).mul(1 / temperature));
  const divergence = np.exp(target.ref).mul(target.sub(student)).sum(-1);
  const fromTeacher = weightedMean(divergence, weights?.ref).mul((1 - labelShare) * temperature ** 2);
  return crossEntropy(logits, labels, weights).mul(labelShare).add(fromTeacher);
}

/** Fraction of examples whose largest logit is at their label. */
export function accuracy(logits: np.Array, labels: np.Array): np.Array {
  return np.argmax(logits, -1).equal(labels).astype(np.float32).mean();
}

/** Mean of (predictions - targets)^2. */
export function meanSquaredError(predictions: np.Array, targets: np.Array, weights?: np.Array): np.Array {
  return weightedMean(np.square(predictions.sub(targets)), weights);
}

/** Mean of Huber's loss: half the square of an error up to `delta`, beyond it linear. */
export function huber(predictions: np.Array, targets: np.Array, delta = 1, weights?: np.Array): np.Array {
  const error = predictions.sub(targets);
  const magnitude = np.absolute(error);
  const quadratic = np.minimum(magnitude.ref, delta);
  return weightedMean(
    quadratic.ref.mul(quadratic.ref).mul(0.5).add(magnitude.sub(quadratic).mul(delta)),
    weights,
  );
}

/** Mean cross-entropy of independent truth values: `targets` from 0 to 1, predicted by sigmoid(logits). */
export function binaryCrossEntropyWithLogits(
  logits: np.Array,
  targets: np.Array,
  weights?: np.Array,
): np.Array {
  const negativeMagnitude = np.where(logits.ref.less(0), logits.ref, logits.ref.neg());
  // log(1 + x) and not log1p: off by 6e-8 at most, which a loss of either sign's mean cannot show, and its gradient is exact.
  const tail = np.log(np.exp(negativeMagnitude).add(1));
  return weightedMean(np.maximum(logits.ref, 0).sub(logits.mul(targets)).add(tail), weights);
}

function weightedMean(values: np.Array, weights: np.Array | undefined): np.Array {
  if (weights === undefined) return values.mean();
  const perExample = values.reshape([values.shape[0], -1]).mean(1);
  return perExample.mul(weights.ref).sum().div(weights.sum());
}

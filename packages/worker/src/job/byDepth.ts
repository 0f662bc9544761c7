import type { TensorRule } from './tensorOptions.ts';

export interface DepthOptions {
  /** Each layer's learning rate is that of the layer above it times this. Default: 1 / 2.6, as in the paper. */
  readonly rateFactor?: number;
  /** Each layer is trained so many steps later than the layer above it. Default: 0, all from the start. */
  readonly unfreezeEverySteps?: number;
}

/**
 * A value of `tensors` for taking up a trained model: the deeper a layer, the slower it learns and the later it begins, since what it knows is the more general
 * (discriminative fine-tuning and gradual unfreezing: Howard and Ruder, 2018, section 3.2). `layers` are patterns of names from the head down; layer k has
 * the rate rateFactor^k and is frozen until step k * unfreezeEverySteps. What none of them matches is trained as ever.
 */
export function byDepth(
  layers: readonly (string | readonly string[])[],
  { rateFactor = 1 / 2.6, unfreezeEverySteps = 0 }: DepthOptions = {},
): TensorRule[] {
  return layers.map((match, depth) => ({
    match,
    learningRateScale: rateFactor ** depth,
    frozenUntil: depth * unfreezeEverySteps,
  }));
}

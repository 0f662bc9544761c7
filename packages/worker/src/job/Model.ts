import type { numpy as np } from '@jax-js/jax';

/** Parameters as the model likes them: nested records or arrays with jax arrays at the leaves. Paths of the leaves name the tensors. */
export type ParameterTree = np.Array | readonly ParameterTree[] | { readonly [name: string]: ParameterTree };

/** A batch as the model sees it. */
export type BatchArrays = Readonly<Record<string, np.Array>>;

/**
 * A model in @jax-js/jax. All functions must be pure: the same arguments, the same operations. As in jax-js, using an array consumes it; `x.ref` keeps it.
 */
export interface Model<
  Parameters extends ParameterTree = ParameterTree,
  B extends BatchArrays = BatchArrays,
> {
  /** The parameters at the start, from a PRNG key alone. */
  init(key: np.Array): Parameters;
  /** The mean loss over the batch: a scalar. */
  loss(parameters: Parameters, batch: B): np.Array;
  /**
   * The loss in two parts, for methods that take the Gauss-Newton matrix: loss(parameters, batch) = outputLoss(outputs(parameters, batch), batch), outputLoss convex
   * in the outputs, as the mean squared error is in predictions and the cross entropy in logits.
   */
  outputs?(parameters: Parameters, batch: B): np.Array;
  outputLoss?(outputs: np.Array, batch: B): np.Array;
  /** The fraction of the batch that the model gets right: a scalar. Leave out where the word has no meaning. */
  accuracy?(parameters: Parameters, batch: B): np.Array;
  /** Outputs for a batch, first dimension the examples: what `tributary predict` prints. Reads only the inputs among the fields. */
  predict?(parameters: Parameters, batch: B): np.Array;
  /** The quantum state of each example, [examples, 2, 2^qubits]: what `quantumNaturalGradient` measures distances by. Reads what of the parameters it needs. */
  states?(parameters: Parameters, batch: B): np.Array;
}

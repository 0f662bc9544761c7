import { numpy as np, valueAndGrad } from '@jax-js/jax';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import type { ArrayFunction } from '../compute/ComputeBackend.ts';
import type { BatchArrays, Model, ParameterTree } from '../job/Model.ts';
import { borrowed, borrowedTree } from './borrow.ts';
import { denseLayers } from './denseLayers.ts';
import { kroneckerFactors, type Prediction } from './kroneckerFactors.ts';
import { flattenTree, type TreeStructure, unflattenTree } from './parameterTree.ts';
import {
  gaussNewtonVectorProduct,
  hessianProducts,
  hessianVectorProduct,
  type OutputLoss,
  type Outputs,
} from './secondOrder.ts';

/*
 * A model speaks of trees and records, a compute backend of lists of arrays. All functions here take
 * [parameter leaves..., batch arrays in the order of `fields`..., what else they say] and are meant to be traced.
 */

type LossAndGradient = (parameters: ParameterTree) => [np.Array, ParameterTree];

/** Returns [loss, gradient leaves...], the gradients in the order of the parameters. */
export function lossAndGradientFunction(
  model: Model,
  structure: TreeStructure,
  fields: readonly string[],
): ArrayFunction {
  return (...inputs) => {
    const { parameters, batch } = assemble(structure, fields, inputs);
    // The batch is no argument of the differentiated function but a constant in it: jax-js's derivative of the integer remainder is wrong,
    // and arithmetic on indices and labels then has none.
    const loss = (at: ParameterTree) => scalarLoss(model, at, batch);
    // The generic types of jax-js recurse without end over a recursive tree type.
    const [value, gradients] = (valueAndGrad as unknown as (fn: typeof loss) => LossAndGradient)(loss)(
      parameters,
    );
    return [value, ...flattenTree(gradients).leaves];
  };
}

/** Returns [loss]. */
export function lossFunction(
  model: Model,
  structure: TreeStructure,
  fields: readonly string[],
): ArrayFunction {
  return (...inputs) => {
    const { parameters, batch } = assemble(structure, fields, inputs);
    return [scalarLoss(model, parameters, batch)];
  };
}

/** Takes a vector besides, in leaves like the parameters. Returns the leaves of the Hessian's product with it. */
export function hessianVectorFunction(
  model: Model,
  structure: TreeStructure,
  fields: readonly string[],
): ArrayFunction {
  const loss = (at: ParameterTree, of: BatchArrays) => scalarLoss(model, at, of);
  return productFunction(structure, fields, (parameters, batch, vector) =>
    hessianVectorProduct(loss, parameters, batch, vector),
  );
}

/** As hessianVectorFunction, of the Gauss-Newton matrix. */
export function gaussNewtonVectorFunction(
  model: Model,
  structure: TreeStructure,
  fields: readonly string[],
): ArrayFunction {
  const { outputs, outputLoss } = twoParts(model);
  return productFunction(structure, fields, (parameters, batch, vector) =>
    gaussNewtonVectorProduct(outputs, outputLoss, parameters, batch, vector),
  );
}

function productFunction(
  structure: TreeStructure,
  fields: readonly string[],
  product: (parameters: ParameterTree, batch: BatchArrays, vector: ParameterTree) => ParameterTree,
): ArrayFunction {
  return (...inputs) => {
    const { parameters, batch } = assemble(structure, fields, inputs);
    const vector = unflattenTree(structure, inputs.slice(structure.size + fields.length));
    return [...flattenTree(product(parameters, batch, vector)).leaves];
  };
}

/** Takes a key of two whole numbers besides. Returns [the Kronecker factors of all dense layers, end to end]. */
export function kroneckerFactorsFunction(prediction: Prediction) {
  return (
    model: Model,
    structure: TreeStructure,
    fields: readonly string[],
    layout: Layout,
  ): ArrayFunction => {
    const { outputs } = model;
    if (outputs === undefined) throw missingOutputs('outputs(parameters, batch)');
    const layers = denseLayers(layout);
    return (...inputs) => {
      const { parameters, batch } = assemble(structure, fields, inputs);
      const key = inputs[structure.size + fields.length];
      const run: Outputs = (at, of) => outputs.call(model, at, of);
      return [kroneckerFactors(run, layers, prediction, parameters, batch, key)];
    };
  };
}

/** Returns [loss], put together of its two parts. */
export function twoPartLossFunction(
  model: Model,
  structure: TreeStructure,
  fields: readonly string[],
): ArrayFunction {
  const { outputs, outputLoss } = twoParts(model);
  return (...inputs) => {
    const { parameters, batch } = assemble(structure, fields, inputs);
    const kept = Object.fromEntries(Object.entries(batch).map(([field, array]) => [field, array.ref]));
    return [outputLoss(outputs(parameters, batch), kept)];
  };
}

function twoParts(model: Model): { outputs: Outputs; outputLoss: OutputLoss } {
  const { outputs, outputLoss } = model;
  if (outputs === undefined || outputLoss === undefined) {
    throw missingOutputs('outputs(parameters, batch) and outputLoss(outputs, batch)');
  }
  return {
    outputs: (parameters, batch) => outputs.call(model, parameters, batch),
    outputLoss: (at, batch) => outputLoss.call(model, at, batch),
  };
}

function missingOutputs(missing: string): TributaryError {
  return new TributaryError('FAILED_PRECONDITION', 'the model does not say what its outputs are', {
    hint: `Add ${missing} to the model.`,
  });
}

/** Takes directions [K, P] besides. Returns [the Hessian's products with them, [K, P]]. */
export function hessianProductsFunction(
  model: Model,
  structure: TreeStructure,
  fields: readonly string[],
): ArrayFunction {
  return (...inputs) => {
    const { parameters, batch } = assemble(structure, fields, inputs);
    const loss = (at: ParameterTree, of: BatchArrays) => scalarLoss(model, at, of);
    return [hessianProducts(loss, parameters, batch, inputs[structure.size + fields.length])];
  };
}

/**
 * Takes directions [K, P] besides. Returns [the products with them, [K, P], of the Fubini-Study metric of the model's states, its mean over the examples]. The fidelity
 * |<psi(p)|psi(p + d)>|^2 is 1 - d'gd for small d, so that the metric g is the Hessian of half of what it lacks to 1, with the first state held fixed.
 */
export function metricProductsFunction(
  model: Model,
  structure: TreeStructure,
  fields: readonly string[],
): ArrayFunction {
  const { states } = model;
  if (states === undefined) {
    throw new TributaryError('FAILED_PRECONDITION', 'the model has no states function', {
      hint: 'Add states(parameters, batch) to the model, as by quantumStates(...).',
    });
  }
  return (...inputs) => {
    const { parameters, batch } = assemble(structure, fields, inputs);
    const here = states.call(model, borrowedTree(parameters), borrowed(batch));
    const infidelity = (at: ParameterTree, { here: fixed, ...of }: BatchArrays) =>
      halfInfidelity(fixed, states.call(model, at, of));
    return [
      hessianProducts(infidelity, parameters, { ...batch, here }, inputs[structure.size + fields.length]),
    ];
  };
}

/** (1 - |<a|b>|^2) / 2, the mean over the examples. */
function halfInfidelity(a: np.Array, b: np.Array): np.Array {
  const real = a.ref.mul(b.ref).sum([1, 2]);
  // Re and Im of <a|b> = sum (re_a - i im_a)(re_b + i im_b); the latter is a difference of sums over im and re crosswise.
  const crossed = np.flip(a, 1).mul(b).sum(2);
  const imaginary = crossed.mul(np.array([-1, 1])).sum(1);
  const fidelity = real.ref.mul(real).add(imaginary.ref.mul(imaginary));
  return fidelity.mean().mul(-0.5).add(0.5);
}

/** Returns [loss], or [loss, accuracy] if the model says what accuracy is. */
export function evaluationFunction(
  model: Model,
  structure: TreeStructure,
  fields: readonly string[],
): ArrayFunction {
  return (...inputs) => {
    if (model.accuracy === undefined) {
      const { parameters, batch } = assemble(structure, fields, inputs);
      return [scalarLoss(model, parameters, batch)];
    }
    const kept = inputs.map((input) => input.ref);
    const forLoss = assemble(structure, fields, inputs);
    const loss = scalarLoss(model, forLoss.parameters, forLoss.batch);
    const forAccuracy = assemble(structure, fields, kept);
    const accuracy = model.accuracy(forAccuracy.parameters, forAccuracy.batch);
    if (accuracy.ndim !== 0) throw notScalar("model's accuracy", accuracy);
    return [loss, accuracy];
  };
}

/** Returns [predictions]. */
export function predictFunction(
  model: Model,
  structure: TreeStructure,
  fields: readonly string[],
): ArrayFunction {
  const predict = model.predict;
  if (predict === undefined) {
    throw new TributaryError('FAILED_PRECONDITION', 'the model has no predict function', {
      hint: 'Add predict(parameters, batch) to the model.',
    });
  }
  return (...inputs) => {
    const { parameters, batch } = assemble(structure, fields, inputs);
    return [predict.call(model, parameters, batch)];
  };
}

function assemble(
  structure: TreeStructure,
  fields: readonly string[],
  inputs: readonly np.Array[],
): { parameters: ParameterTree; batch: BatchArrays } {
  const parameters = unflattenTree(structure, inputs.slice(0, structure.size));
  const batch = Object.fromEntries(fields.map((field, index) => [field, inputs[structure.size + index]]));
  return { parameters, batch };
}

function scalarLoss(model: Model, parameters: ParameterTree, batch: BatchArrays): np.Array {
  const loss = model.loss(parameters, batch);
  if (loss.ndim !== 0) throw notScalar("model's loss", loss);
  if (loss.dtype !== 'float32') {
    throw new TributaryError('INVALID_ARGUMENT', `the model's loss has the type ${loss.dtype}`, {
      hint: 'A loss is a float32 scalar: cast with .astype(np.float32).',
    });
  }
  return loss;
}

function notScalar(what: string, value: np.Array): TributaryError {
  return new TributaryError(
    'INVALID_ARGUMENT',
    `the ${what} has the shape [${value.shape.join(', ')}], not that of a scalar`,
    {
      hint: 'Take the mean over the batch.',
    },
  );
}

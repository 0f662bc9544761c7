import { grad, jvp, numpy as np, type numpy, vjp, vmap } from '@jax-js/jax';
import type { BatchArrays, ParameterTree } from '../job/Model.ts';
import { borrowed, borrowedTree } from './borrow.ts';
import { flattenTree, unflattenTree } from './parameterTree.ts';

/** A scalar of the parameters and a batch. */
export type Loss = (parameters: ParameterTree, batch: BatchArrays) => numpy.Array;
/** What a model computes from its parameters and a batch, before the loss. */
export type Outputs = Loss;
/** A scalar of the outputs and the batch. */
export type OutputLoss = (outputs: numpy.Array, batch: BatchArrays) => numpy.Array;

/*
 * All three are functions to be traced, like the loss they are made of, and consume their arguments. The batch is read more than once inside,
 * so it is handed to the loss by reference each time: the loss may consume it as always.
 */

/**
 * H v: the Hessian of the loss at `parameters` times `vector`, a tree like the parameters (Pearlmutter, 1994): the derivative of the
 * gradient along the vector, at about twice the cost of a gradient. The Hessian is never formed.
 */
export function hessianVectorProduct(
  loss: Loss,
  parameters: ParameterTree,
  batch: BatchArrays,
  vector: ParameterTree,
): ParameterTree {
  const gradient = gradientOf(loss, batch);
  const [value, product] = (jvp as unknown as Jvp<ParameterTree>)(gradient, [parameters], [vector]);
  disposeLeaves(value);
  disposeBatch(batch);
  return product;
}

/**
 * The Hessian of the loss as a matrix [P, P] over all parameters laid end to end, in the order of the layout. For small models: it has P^2 elements.
 */
export function hessian(loss: Loss, parameters: ParameterTree, batch: BatchArrays): numpy.Array {
  const size = flattenTree(parameters).leaves.reduce((sum, leaf) => sum + leaf.size, 0);
  return hessianProducts(loss, parameters, batch, np.eye(size));
}

/** The products [K, P] of the Hessian with K directions [K, P], all at once: a block of its rows, if they are unit vectors. */
export function hessianProducts(
  loss: Loss,
  parameters: ParameterTree,
  batch: BatchArrays,
  directions: numpy.Array,
): numpy.Array {
  const { leaves, structure } = flattenTree(parameters);
  const shapes = leaves.map(({ shape }) => shape);
  const sizes = leaves.map(({ size }) => size);
  const gradient = gradientOf(loss, batch);
  const flatGradient = (flat: numpy.Array): numpy.Array => {
    const parts = split(flat, sizes).map((part, index) => part.reshape(shapes[index]));
    return joined(flattenTree(gradient(unflattenTree(structure, parts))).leaves);
  };
  const point = joined(leaves);
  const column = (direction: numpy.Array) => {
    const [value, product] = (jvp as unknown as Jvp<numpy.Array>)(
      flatGradient as never,
      [point.ref],
      [direction],
    );
    value.dispose();
    return product;
  };
  const matrix = (vmap as unknown as (fn: typeof column, axes: number[]) => typeof column)(
    column,
    [0],
  )(directions);
  point.dispose();
  disposeBatch(batch);
  return matrix;
}

/**
 * G v, G = J' H J the generalised Gauss-Newton matrix: J the Jacobian of the outputs, H the Hessian of the loss as a function of the outputs
 * (Schraudolph, 2002). Positive semidefinite if the loss is convex in the outputs.
 */
export function gaussNewtonVectorProduct(
  outputs: Outputs,
  outputLoss: OutputLoss,
  parameters: ParameterTree,
  batch: BatchArrays,
  vector: ParameterTree,
): ParameterTree {
  const model = (at: ParameterTree) => outputs(at, borrowed(batch));
  const lossGradient = (
    grad as unknown as (fn: (z: numpy.Array) => numpy.Array) => (z: numpy.Array) => numpy.Array
  )((z) => outputLoss(z, borrowed(batch)));
  const kept = borrowedTree(parameters);
  const [z, jv] = (jvp as unknown as Jvp<numpy.Array>)(model as never, [parameters], [vector]);
  const [lossGradientValue, hjv] = (jvp as unknown as Jvp<numpy.Array>)(lossGradient as never, [z], [jv]);
  lossGradientValue.dispose();
  const [value, pullBack] = (vjp as unknown as Vjp)(model, [kept]);
  value.dispose();
  const [product] = pullBack(hjv);
  pullBack.dispose();
  disposeBatch(batch);
  return product;
}

// The generic types of jax-js recurse without end over a recursive tree type.
type Jvp<Result> = (
  fn: (at: ParameterTree) => ParameterTree,
  at: unknown[],
  along: unknown[],
) => [Result, Result];
type Vjp = (
  fn: (at: ParameterTree) => numpy.Array,
  at: [ParameterTree],
) => [numpy.Array, ((cotangent: numpy.Array) => [ParameterTree]) & { dispose(): void }];

function gradientOf(loss: Loss, batch: BatchArrays): (parameters: ParameterTree) => ParameterTree {
  type Scalar = (parameters: ParameterTree) => numpy.Array;
  return (grad as unknown as (fn: Scalar) => (parameters: ParameterTree) => ParameterTree)((parameters) =>
    loss(parameters, borrowed(batch)),
  );
}

function disposeBatch(batch: BatchArrays): void {
  for (const array of Object.values(batch)) array.dispose();
}

function disposeLeaves(parameters: ParameterTree): void {
  for (const leaf of flattenTree(parameters).leaves) leaf.dispose();
}

function joined(leaves: readonly numpy.Array[]): numpy.Array {
  return np.concatenate(leaves.map((leaf) => leaf.reshape([-1])));
}

function split(flat: numpy.Array, sizes: readonly number[]): numpy.Array[] {
  if (sizes.length === 1) return [flat];
  let end = 0;
  const boundaries = sizes.slice(0, -1).map((size) => {
    end += size;
    return end;
  });
  return np.split(flat, boundaries);
}

import type { Solver } from '@tributary/core/quantum/step/quantumStep.ts';
import { diagonalBlocks, triangleProduct } from '../linear/triangle.ts';
import { addScaled, dot } from '../linear/vectors.ts';
import type { BlockTask } from './BlockTask.ts';

export interface BlockOptions {
  readonly solver: Solver;
  readonly bits: number;
  readonly blockSize: number;
  /** How often the blocks are solved. */
  readonly refinements: number;
  readonly seed: number;
}

export interface ModelStep {
  readonly step: Float64Array;
  /** The change of the loss that the model foresees. */
  readonly foreseen: number;
}

/**
 * A step that makes m(s) = g's + s'Hs / 2 small, within a box of twice the range, by quantum steps on blocks of parameters.
 *
 * Blocks know nothing of each other, and k bits are a coarse grid. So they are solved again and again, around the step so far and on a grid half as wide, with what the others
 * did in their gradient: block Jacobi, with as many more bits. How far to go along what they say together is a classical matter, and exact on a quadratic model: each direction is
 * made conjugate to the one before and followed to the minimum along it, as in flexible conjugate gradients (Notay, 2000) with the blocks as the preconditioner.
 * None of this is a pass over the data.
 */
export async function minimiseModel(
  gradient: Float64Array,
  /** Lower triangle, row by row. */
  hessian: Float64Array,
  range: number,
  { solver, bits, blockSize, refinements, seed }: BlockOptions,
  solveBlocks: (task: BlockTask) => Promise<Float64Array>,
): Promise<ModelStep> {
  const curvature = diagonalBlocks(hessian, gradient.length, blockSize);
  const step = new Float64Array(gradient.length);
  const slope = gradient.slice();
  const moved = new Float64Array(gradient.length);
  let last: { direction: Float64Array; curved: Float64Array; bend: number } | undefined;
  for (let refinement = 0; refinement < refinements; refinement++) {
    const direction = await solveBlocks({
      ...{ solver, bits, blockSize, curvature, gradient: slope },
      range: range / 2 ** refinement,
      seed: seed + refinement,
    });
    if (last !== undefined && last.bend > 0) {
      addScaled(direction, -dot(direction, last.curved) / last.bend, last.direction);
    }
    stopAtBorder(step, direction, slope, 2 * range);
    const curved = triangleProduct(hessian, direction);
    const bend = dot(direction, curved);
    const rise = dot(slope, direction);
    // Along a direction of negative curvature the step as the blocks meant it.
    const wanted = bend > 0 ? -rise / bend : rise < 0 ? 1 : 0;
    const part = withinBox(step, direction, wanted, 2 * range);
    addScaled(step, part, direction);
    addScaled(slope, part, curved);
    addScaled(moved, part, curved);
    last = { direction, curved, bend };
  }
  return { step, foreseen: dot(gradient, step) + dot(step, moved) / 2 };
}

/** Makes the direction go downhill, and leaves out what would lead out of the box from its border. */
function stopAtBorder(step: Float64Array, direction: Float64Array, slope: Float64Array, most: number): void {
  const sign = dot(slope, direction) > 0 ? -1 : 1;
  for (let index = 0; index < step.length; index++) {
    const move = sign * direction[index];
    direction[index] = Math.abs(step[index]) >= most * (1 - 1e-9) && move * step[index] > 0 ? 0 : move;
  }
}

/** The part of `wanted` by which one may go along the direction until the first element is `most` from 0. */
function withinBox(step: Float64Array, direction: Float64Array, wanted: number, most: number): number {
  let scale = 1;
  for (let index = 0; index < step.length; index++) {
    const move = wanted * direction[index];
    const room = move > 0 ? most - step[index] : most + step[index];
    if (Math.abs(move) * scale > room) scale = Math.max(0, room / Math.abs(move));
  }
  return wanted * scale;
}

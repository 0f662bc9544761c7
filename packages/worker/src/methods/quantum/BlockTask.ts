import { quantumStep, type Solver } from '@tributary/core/quantum/step/quantumStep.ts';
import { createUniforms } from '@tributary/core/random/uniforms.ts';

/** Quadratic models of blocks of parameters, each to be minimised on its own. Goes between threads. */
export interface BlockTask {
  readonly solver: Solver;
  /** Qubits for each parameter. */
  readonly bits: number;
  /** How far each parameter may go either way. */
  readonly range: number;
  /** Block b draws from stream b of this seed, wherever it is solved. */
  readonly seed: number;
  /** Parameters in a block; the last may have fewer. */
  readonly blockSize: number;
  /** Of all blocks, one after the other. */
  readonly gradient: Float64Array;
  /** Block after block, each n x n row by row. */
  readonly curvature: Float64Array;
}

/** Fills `target`, as long as the gradient, with the steps of one rank's blocks, and zeros: the sum over the ranks has all. */
export function solveBlocksOf(
  rank: number,
  ranks: number,
  task: BlockTask,
  target: Float32Array | Float64Array,
): void {
  const { gradient, blockSize } = task;
  target.fill(0);
  for (let block = rank; block * blockSize < gradient.length; block += ranks) {
    target.set(solveBlock(task, block), block * blockSize);
  }
}

function solveBlock(task: BlockTask, block: number): Float64Array {
  const { solver, bits, range, seed, blockSize } = task;
  const gradient = task.gradient.subarray(block * blockSize, (block + 1) * blockSize);
  const at = block * blockSize ** 2;
  const curvature = task.curvature.subarray(at, at + gradient.length ** 2);
  const ranges = new Float64Array(gradient.length).fill(range);
  const random = createUniforms(seed, block);
  return quantumStep({ gradient, curvature }, { solver, bits, ranges }, random).step;
}

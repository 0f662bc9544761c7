import { type QuantumStep, quantumStep, type Solver } from '@tributary/core/quantum/step/quantumStep.ts';
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

/** How near QAOA came to the optimum that all states of a block tell. */
export interface Approximation {
  /** Of which this is known; 0 with other solvers. */
  readonly blocks: number;
  /** The sum over them of the approximation ratio. */
  readonly ratios: number;
  /** Of these, blocks whose best measurement was the optimum. */
  readonly optima: number;
}

/** Behind the steps of all blocks: the approximation. */
const tallies = 3;

/** Numbers that solveBlocksOf fills. */
export function solvedLength({ gradient }: BlockTask): number {
  return gradient.length + tallies;
}

/** What the sum over the ranks has: the steps of all blocks, and how good they are. */
export function readSolved(sum: Float32Array | Float64Array): {
  steps: Float64Array;
  approximation: Approximation;
} {
  const [blocks, ratios, optima] = sum.subarray(sum.length - tallies);
  return {
    steps: Float64Array.from(sum.subarray(0, sum.length - tallies)),
    approximation: { blocks, ratios, optima },
  };
}

/** Fills `target` with the steps and the approximation of one rank's blocks, and zeros: the sum over the ranks has all. */
export function solveBlocksOf(
  rank: number,
  ranks: number,
  task: BlockTask,
  target: Float32Array | Float64Array,
): void {
  const { gradient, blockSize } = task;
  target.fill(0);
  let [solved, ratios, optima] = [0, 0, 0];
  for (let block = rank; block * blockSize < gradient.length; block += ranks) {
    const { step, solution } = solveBlock(task, block);
    target.set(step, block * blockSize);
    if ('approximationRatio' in solution) {
      solved++;
      ratios += solution.approximationRatio;
      if (solution.foundOptimum) optima++;
    }
  }
  target.set([solved, ratios, optima], gradient.length);
}

function solveBlock(task: BlockTask, block: number): QuantumStep {
  const { solver, bits, range, seed, blockSize } = task;
  const gradient = task.gradient.subarray(block * blockSize, (block + 1) * blockSize);
  const at = block * blockSize ** 2;
  const curvature = task.curvature.subarray(at, at + gradient.length ** 2);
  const ranges = new Float64Array(gradient.length).fill(range);
  const random = createUniforms(seed, block);
  return quantumStep({ gradient, curvature }, { solver, bits, ranges }, random);
}

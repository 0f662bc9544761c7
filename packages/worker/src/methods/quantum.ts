import { limits } from '@tributary/core/limits/limits.ts';
import { choice, positive, type Resolved, wholeNumber } from '@tributary/core/optimizer/options.ts';
import { judgeStep } from '@tributary/core/quantum/step/judgeStep.ts';
import { requireQubits, type Solver } from '@tributary/core/quantum/step/quantumStep.ts';
import { knownGradient, knownPointState, rememberPoint } from './knownPoint.ts';
import { addScaled } from './linear/vectors.ts';
import { minimiseModel } from './quantum/minimiseModel.ts';
import type { StepContext } from './StepMethod.ts';
import { stepMethod } from './StepMethodRow.ts';

/** A step that is refused is sought again on half the range, so often: the Hessian is what costs, and it is known. */
const triesMax = 4;

const hyperparameters = {
  solver: choice('annealing', 'qaoa', 'exact'),
  /** Qubits for each parameter, and parameters solved together. */
  bits: wholeNumber(1, 2),
  blockSize: wholeNumber(1, 8),
  /** How often the blocks are solved for one step, each time on a grid half as wide. */
  refinements: wholeNumber(1, 16),
  /** Parameters changed by one step: so many rows of the Hessian are computed. */
  window: wholeNumber(1, 1024),
  /** How far a parameter may go in the first step; then the trust region decides. */
  range: positive(0.5),
  /** QAOA: layers of the circuit, measurements, and circuits run while the angles of one depth are optimised. */
  depth: wholeNumber(1, 1),
  shots: wholeNumber(1, 100),
  evaluations: wholeNumber(1, 30),
  /** Annealing: copies along imaginary time, and sweeps over them. */
  slices: wholeNumber(2, 4),
  sweeps: wholeNumber(1, 20),
  seed: wholeNumber(0, 1),
};
type Hyperparameters = Resolved<typeof hyperparameters>;

/**
 * Quantum optimization, p <- Q(p), on a simulated quantum computer: gradient and Hessian of a window of parameters become a quadratic model; its blocks become Ising problems of
 * blockSize x bits qubits, solved by simulated quantum annealing (Kadowaki & Nishimori, 1998) or QAOA (Farhi, Goldstone & Gutmann, 2014), or `exact`, by
 * trying all states; the bits become a step (quantum/minimiseModel.ts). It is taken if the true loss falls, and a trust region follows (core/quantum/step/judgeStep.ts), one for each
 * window. Windows take turns: a model of up to `window` parameters is changed as a whole by each step.
 *
 * The blocks are shared out over the ranks. Passes over the data: one for the Hessian's rows and one for loss and gradient at each point that is tried, which
 * the next step knows if it sees the same examples; one more if not.
 */
export const quantum = stepMethod({
  hyperparameters,
  create(options, { length }) {
    requireQubits(options.solver, Math.min(options.blockSize, windowSize(options, length)), options.bits);
    const windows = Math.ceil(length / windowSize(options, length));
    return {
      state: [
        { name: 'ranges', shape: [windows], initial: options.range },
        { name: 'progress', shape: [], initial: 0 },
        ...knownPointState(length),
      ],
      step: (context) => step(context, options),
    };
  },
});

async function step(context: StepContext, options: Hyperparameters): Promise<number> {
  const { parameters } = context;
  const start = await knownGradient(context);
  const { loss, gradient } = start;
  if (!Number.isFinite(loss)) return loss;
  const progress = context.state('progress');
  const ranges = context.state('ranges');
  const window = progress[0] % ranges.length;
  const begin = window * windowSize(options, parameters.length);
  const end = Math.min(begin + windowSize(options, parameters.length), parameters.length);
  const hessian = await context.hessian(parameters, { begin, end });
  if (!hessian.every(Number.isFinite)) return Number.NaN;
  const sought = {
    ...options,
    solver: solverOf(options),
    seed: options.seed + triesMax * options.refinements * (progress[0] + 1),
  };
  progress[0]++;
  for (let attempt = 0; attempt < triesMax; attempt++) {
    const range = ranges[window];
    const { step: change, foreseen } = await minimiseModel(
      gradient.slice(begin, end),
      hessian,
      range,
      { ...sought, seed: sought.seed + attempt * options.refinements },
      (task) => context.solveBlocks(task),
    );
    const moved = Float64Array.from(parameters.subarray(begin, end));
    addScaled(moved, 1, change);
    const point = parameters.slice();
    point.set(moved, begin);
    const found = await context.gradient(point);
    const { accepted, rangeFactor } = judgeStep({
      step: change,
      ranges: new Float64Array(change.length).fill(range),
      predicted: foreseen,
      actual: found.loss - loss,
    });
    ranges[window] *= rangeFactor;
    if (accepted) {
      parameters.set(point);
      rememberPoint(context, found);
      return loss;
    }
  }
  rememberPoint(context, start);
  return loss;
}

function windowSize({ window }: Hyperparameters, length: number): number {
  return Math.min(window, length, limits.hessianParametersMax);
}

function solverOf({ solver, depth, shots, evaluations, slices, sweeps }: Hyperparameters): Solver {
  if (solver === 'qaoa') return { kind: solver, depth, shots, evaluationsMax: evaluations };
  if (solver === 'annealing') return { kind: solver, slices, sweeps };
  return { kind: solver };
}

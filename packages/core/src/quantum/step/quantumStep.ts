import { TributaryError } from '../../errors/TributaryError.ts';
import { limits } from '../../limits/limits.ts';
import type { RandomSource } from '../../random/uniforms.ts';
import { type Ising, toIsing } from '../ising/Ising.ts';
import { modelChange, type QuadraticModel } from '../ising/QuadraticModel.ts';
import { decodeStep, encodeModel } from '../ising/StepEncoding.ts';
import { exactMinimum, type Solution } from '../solve/exactMinimum.ts';
import { type QaoaOptions, type QaoaSolution, qaoa } from '../solve/qaoa.ts';
import { type AnnealingOptions, quantumAnnealing } from '../solve/quantumAnnealing.ts';

/** How the Ising problem is solved. Exact and QAOA keep all 2^qubits states in memory; annealing takes hundreds of qubits. */
export type Solver =
  | { readonly kind: 'exact' }
  | ({ readonly kind: 'qaoa' } & QaoaOptions)
  | ({ readonly kind: 'annealing' } & AnnealingOptions);

export interface QuantumStepOptions {
  readonly solver: Solver;
  /** Qubits for each parameter: it takes one of 2^bits values. */
  readonly bits: number;
  /** How far each parameter may go either way: the trust region. */
  readonly ranges: Float64Array;
}

export interface QuantumStep {
  /** What to add to the parameters of the block, if the true loss agrees (see judgeStep). */
  readonly step: Float64Array;
  /** The change of the loss that the model foresees. */
  readonly change: number;
  readonly qubits: number;
  readonly solution: Solution | QaoaSolution;
}

/**
 * One step theta <- Q(theta) on a block of parameters: the quadratic model of the loss becomes an Ising Hamiltonian, its ground state is sought by a (simulated) quantum algorithm, and the
 * bits found become a step. Blocks are independent of each other, so that they can be solved anywhere. The same random numbers give the same step.
 *
 * Throws INVALID_ARGUMENT if the solver cannot hold that many qubits.
 */
export function quantumStep(
  model: QuadraticModel,
  options: QuantumStepOptions,
  random: RandomSource,
): QuantumStep {
  const { solver, bits } = options;
  requireQubits(solver.kind, model.gradient.length, bits);
  const ising = toIsing(encodeModel(model, options));
  const solution = solve(ising, solver, random);
  const step = decodeStep(options, solution.bits);
  return { step, change: modelChange(model, step), qubits: ising.size, solution };
}

/** Throws INVALID_ARGUMENT if the solver cannot hold a block of so many parameters. */
export function requireQubits(solver: Solver['kind'], parameters: number, bits: number): void {
  const most = solver === 'annealing' ? limits.annealingQubitsMax : limits.qubitsMax;
  if (parameters * bits <= most) return;
  const otherwise = solver === 'annealing' ? '' : ', or the solver "annealing"';
  throw new TributaryError(
    'INVALID_ARGUMENT',
    `a block of ${parameters} parameters with ${bits} bits each needs ${parameters * bits} qubits; the solver "${solver}" simulates at most ${most}`,
    { hint: `Use blocks of at most ${Math.floor(most / bits)} parameters, or fewer bits${otherwise}.` },
  );
}

function solve(ising: Ising, solver: Solver, random: RandomSource): Solution | QaoaSolution {
  if (solver.kind === 'exact') return exactMinimum(ising);
  if (solver.kind === 'qaoa') return qaoa(ising, solver, random);
  return quantumAnnealing(ising, solver, random);
}

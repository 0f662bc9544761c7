import { judgeStep } from '@tributary/core/quantum/step/judgeStep.ts';
import { quantumStep, type Solver } from '@tributary/core/quantum/step/quantumStep.ts';
import { createUniforms } from '@tributary/core/random/uniforms.ts';
import { blockModel, logisticLoss, newtonLoss, weightCount } from './logistic.ts';

export interface Training {
  /** At the start and after each accepted step. */
  readonly losses: number[];
  /** How far the last loss is above that of Newton, as a fraction of it. */
  readonly excess: number;
  /** Tried, accepted or not. */
  readonly steps: number;
}

/** Logistic regression from zero by quantum steps, block after block, for so many rounds or until `targetExcess` is reached. */
export function train(
  solver: Solver,
  options: { blockSize: number; bits: number; rounds: number; targetExcess?: number },
): Training {
  const { blockSize, bits, rounds, targetExcess = Number.NEGATIVE_INFINITY } = options;
  const weights = new Float64Array(weightCount);
  const ranges = new Float64Array(weightCount).fill(0.5);
  const random = createUniforms(1);
  const losses = [logisticLoss(weights)];
  let steps = 0;
  const excess = () => losses[losses.length - 1] / newtonLoss - 1;
  for (let round = 0; round < rounds && excess() > targetExcess; round++) {
    for (let begin = 0; begin < weightCount; begin += blockSize) {
      const end = Math.min(begin + blockSize, weightCount);
      const region = ranges.subarray(begin, end);
      const model = blockModel(weights, begin, end);
      const { step, change } = quantumStep(model, { solver, bits, ranges: region }, random);
      const candidate = weights.slice();
      step.forEach((move, i) => {
        candidate[begin + i] += move;
      });
      const loss = logisticLoss(candidate);
      const actual = loss - losses[losses.length - 1];
      const { accepted, rangeFactor } = judgeStep({ step, ranges: region, predicted: change, actual });
      region.forEach((range, i) => {
        region[i] = range * rangeFactor;
      });
      steps++;
      if (!accepted) continue;
      weights.set(candidate);
      losses.push(loss);
    }
  }
  return { losses, excess: excess(), steps };
}

import type { StateTensor } from '@tributary/core/layout/methodState.ts';
import type { LossAndGradient, StepContext } from './StepMethod.ts';

/*
 * Loss and gradient where the next step begins: a search has computed them already. Kept as state, they save every step but the first a pass over the
 * data, if all steps see the same examples; if not, they would be those of other examples, and are computed anew.
 */

export function knownPointState(length: number): (StateTensor & { readonly initial: number })[] {
  return [
    { name: 'gradient', shape: [length], initial: 0 },
    // Whether it is known, and the loss as a float32 and what that leaves of it.
    { name: 'known', shape: [3], initial: 0 },
  ];
}

/** Loss and gradient at the begin of the step. */
export async function knownGradient(context: StepContext): Promise<LossAndGradient> {
  const [known, loss, rest] = context.state('known');
  if (!context.fullBatch || known === 0) return context.gradient(context.parameters);
  return { loss: loss + rest, gradient: Float64Array.from(context.state('gradient')) };
}

/** For the next step, which begins at that point. */
export function rememberPoint(context: StepContext, { loss, gradient }: LossAndGradient): void {
  if (!context.fullBatch) return;
  const known = context.state('known');
  known[0] = 1;
  known[1] = loss;
  known[2] = loss - known[1];
  context.state('gradient').set(gradient);
}

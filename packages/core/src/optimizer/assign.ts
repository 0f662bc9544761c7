import { method } from './Optimizer.ts';

/**
 * p <- g: the workers have computed what the parameters become (see packages/worker/src/methods), and the server only stores it. No job asks for it by
 * name, so it stands in no table: a job with such a method brings it.
 */
export const assign = method({
  hyperparameters: {},
  bind: () => ({
    kernel: 'assign',
    slots: [],
    scalars: () => [],
    apply: (out, _parameters, gradient) => out.set(gradient),
  }),
});

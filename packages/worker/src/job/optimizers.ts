import type { OptimizerSpec } from '@tributary/core/job/JobSpec.ts';
import type { adadelta as adadeltaMethod } from '@tributary/core/optimizer/adadelta.ts';
import type { adagrad as adagradMethod } from '@tributary/core/optimizer/adagrad.ts';
import type { adam as adamMethod } from '@tributary/core/optimizer/adam.ts';
import type { adamax as adamaxMethod } from '@tributary/core/optimizer/adamax.ts';
import type { adamw as adamwMethod } from '@tributary/core/optimizer/adamw.ts';
import type { ftrl as ftrlMethod } from '@tributary/core/optimizer/ftrl.ts';
import type { lion as lionMethod } from '@tributary/core/optimizer/lion.ts';
import type { momentum as momentumMethod } from '@tributary/core/optimizer/momentum.ts';
import type { nadam as nadamMethod } from '@tributary/core/optimizer/nadam.ts';
import type { nesterov as nesterovMethod } from '@tributary/core/optimizer/nesterov.ts';
import type { Method } from '@tributary/core/optimizer/Optimizer.ts';
import type { OptionTable, Resolved } from '@tributary/core/optimizer/options.ts';
import type { radam as radamMethod } from '@tributary/core/optimizer/radam.ts';
import type { rmsprop as rmspropMethod } from '@tributary/core/optimizer/rmsprop.ts';
import type { sgd as sgdMethod } from '@tributary/core/optimizer/sgd.ts';

type Hyperparameters<M> =
  M extends Method<infer Table extends OptionTable> ? Partial<Resolved<Table>> : never;

/**
 * The optimizers as a job file names them: `adam({ learningRate: 1e-3 })`. Each takes the hyperparameters of its method, all with
 * defaults; equations, ranges and sources are with the methods in core/optimizer.
 */
function constructorOf<M>(name: string) {
  return (hyperparameters: Hyperparameters<M> = {} as Hyperparameters<M>): OptimizerSpec => ({
    name,
    hyperparameters: hyperparameters as OptimizerSpec['hyperparameters'],
  });
}

/** Stochastic gradient descent. */
export const sgd = constructorOf<typeof sgdMethod>('sgd');

/** Gradient descent with a heavy ball's momentum (Polyak, 1964). */
export const momentum = constructorOf<typeof momentumMethod>('momentum');

/** Nesterov's accelerated gradient (1983). */
export const nesterov = constructorOf<typeof nesterovMethod>('nesterov');

/** Adagrad (Duchi, Hazan & Singer, 2011). */
export const adagrad = constructorOf<typeof adagradMethod>('adagrad');

/** Adadelta (Zeiler, 2012): leave the learning rate at 1. */
export const adadelta = constructorOf<typeof adadeltaMethod>('adadelta');

/** RMSprop (Tieleman & Hinton, 2012), also centered and with momentum. */
export const rmsprop = constructorOf<typeof rmspropMethod>('rmsprop');

/** Adam (Kingma & Ba, 2015), or AMSGrad with `amsgrad: true`. */
export const adam = constructorOf<typeof adamMethod>('adam');

/** AdamW: Adam with decoupled weight decay (Loshchilov & Hutter, 2019). */
export const adamw = constructorOf<typeof adamwMethod>('adamw');

/** AdaMax (Kingma & Ba, 2015). */
export const adamax = constructorOf<typeof adamaxMethod>('adamax');

/** NAdam: Adam with Nesterov momentum (Dozat, 2016). */
export const nadam = constructorOf<typeof nadamMethod>('nadam');

/** RAdam: Adam with a rectified start (Liu et al., 2020). */
export const radam = constructorOf<typeof radamMethod>('radam');

/** Lion (Chen et al., 2023): take a tenth of the learning rate of Adam. */
export const lion = constructorOf<typeof lionMethod>('lion');

/** FTRL-Proximal, for sparse linear models (McMahan et al., 2013). */
export const ftrl = constructorOf<typeof ftrlMethod>('ftrl');

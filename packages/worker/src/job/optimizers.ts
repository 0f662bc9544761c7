import type { OptimizerSpec } from '@tributary/core/job/JobSpec.ts';
import type { Resolved } from '@tributary/core/optimizer/options.ts';
import type { optimizers } from '@tributary/core/optimizer/table.ts';
import type { stepMethods } from '../methods/table.ts';

type Rows = typeof optimizers & typeof stepMethods;
type Hyperparameters<Name extends keyof Rows> = Partial<Resolved<Rows[Name]['hyperparameters']>>;

/**
 * The optimizers as a job file names them: `adam({ learningRate: 1e-3 })`. Each takes the hyperparameters of its method, all with
 * defaults; equations, ranges and sources are with the methods in core/optimizer.
 */
function constructorOf<Name extends keyof Rows>(name: Name) {
  return (hyperparameters: Hyperparameters<Name> = {}): OptimizerSpec => ({
    name,
    hyperparameters: hyperparameters as OptimizerSpec['hyperparameters'],
  });
}

/** Stochastic gradient descent. */
export const sgd = constructorOf('sgd');

/** Gradient descent with a heavy ball's momentum (Polyak, 1964). */
export const momentum = constructorOf('momentum');

/** Nesterov's accelerated gradient (1983). */
export const nesterov = constructorOf('nesterov');

/** Adagrad (Duchi, Hazan & Singer, 2011). */
export const adagrad = constructorOf('adagrad');

/** Adadelta (Zeiler, 2012): leave the learning rate at 1. */
export const adadelta = constructorOf('adadelta');

/** RMSprop (Tieleman & Hinton, 2012), also centered and with momentum. */
export const rmsprop = constructorOf('rmsprop');

/** Adam (Kingma & Ba, 2015), or AMSGrad with `amsgrad: true`. */
export const adam = constructorOf('adam');

/** AdamW: Adam with decoupled weight decay (Loshchilov & Hutter, 2019). */
export const adamw = constructorOf('adamw');

/** AdaMax (Kingma & Ba, 2015). */
export const adamax = constructorOf('adamax');

/** NAdam: Adam with Nesterov momentum (Dozat, 2016). */
export const nadam = constructorOf('nadam');

/** RAdam: Adam with a rectified start (Liu et al., 2020). */
export const radam = constructorOf('radam');

/** Lion (Chen et al., 2023): take a tenth of the learning rate of Adam. */
export const lion = constructorOf('lion');

/** FTRL-Proximal, for sparse linear models (McMahan et al., 2013). */
export const ftrl = constructorOf('ftrl');

/** AdamW without a schedule: the average of its path is what is evaluated and kept (Defazio et al., 2024). */
export const scheduleFree = constructorOf('schedule-free');

/** Prodigy: Adam that finds its own learning rate: leave it at 1 (Mishchenko & Defazio, 2024). */
export const prodigy = constructorOf('prodigy');

/** LARS: momentum with a rate of its own for every tensor, for large batches (You, Gitman & Ginsburg, 2017). */
export const lars = constructorOf('lars');

/** LAMB: Adam with a rate of its own for every tensor, for large batches (You et al., 2020). */
export const lamb = constructorOf('lamb');

/** Adafactor: Adam's second moments of matrices as rows and columns, in a fraction of the memory (Shazeer & Stern, 2018). */
export const adafactor = constructorOf('adafactor');

/** Muon: orthogonal steps for matrices, AdamW for the rest (Jordan et al., 2024). */
export const muon = constructorOf('muon');

/** SOAP: Adam in the eigenbasis of Shampoo (Vyas et al., 2024). */
export const soap = constructorOf('soap');

/** Newton's method with the exact Hessian, for some thousand parameters at most. */
export const newton = constructorOf('newton');

/** Newton's method by conjugate gradients in a trust region; no Hessian is formed, so that models may be large (Steihaug, 1983). */
export const newtonCg = constructorOf('newton-cg');

/** Natural gradient by Kronecker-factored curvature, for models of dense layers (Martens & Grosse, 2015). */
export const kfac = constructorOf('kfac');

/** L-BFGS with a strong Wolfe line search (Liu & Nocedal, 1989). */
export const lbfgs = constructorOf('lbfgs');

/** Quantum optimization on a simulated quantum computer: blocks of parameters as Ising problems, by annealing or QAOA. Slower than the others. */
export const quantum = constructorOf('quantum');

/** Quantum natural gradient, for models with a quantum layer: gradient descent by the distance of states (Stokes et al., 2020). The model needs `states`. */
export const quantumNaturalGradient = constructorOf('quantum-natural-gradient');

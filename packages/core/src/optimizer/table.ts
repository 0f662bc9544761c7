import { adadelta } from './adadelta.ts';
import { adafactor } from './adafactor.ts';
import { adagrad } from './adagrad.ts';
import { adam } from './adam.ts';
import { adamax } from './adamax.ts';
import { adamw } from './adamw.ts';
import { ftrl } from './ftrl.ts';
import { lamb } from './lamb.ts';
import { lars } from './lars.ts';
import { lion } from './lion.ts';
import { momentum } from './momentum.ts';
import { muon } from './muon.ts';
import { nadam } from './nadam.ts';
import { nesterov } from './nesterov.ts';
import type { Method } from './Optimizer.ts';
import { prodigy } from './prodigy.ts';
import { radam } from './radam.ts';
import { rmsprop } from './rmsprop.ts';
import { scheduleFree } from './scheduleFree.ts';
import { sgd } from './sgd.ts';
import { soap } from './soap.ts';

/** Every optimizer by name. A new one is a file and a row here, and if it is element-wise its kernel in packages/core/assembly; it then inherits the law tests. */
export const optimizers = {
  sgd,
  momentum,
  nesterov,
  adagrad,
  adadelta,
  rmsprop,
  adam,
  adamw,
  adamax,
  nadam,
  radam,
  lion,
  ftrl,
  'schedule-free': scheduleFree,
  prodigy,
  lars,
  lamb,
  adafactor,
  muon,
  soap,
} satisfies Readonly<Record<string, Method>>;

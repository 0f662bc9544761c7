import { readFileSync } from 'node:fs';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { expect, test } from 'vitest';

interface Case {
  readonly name: string;
  readonly hyperparameters: Readonly<Record<string, number | boolean | [number, number]>>;
  readonly init: number[];
  readonly grads: number[][];
  readonly params_after: Readonly<Record<string, number[]>>;
}

const golden = new URL('../fixtures/golden/optimizers-torch.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(golden, 'utf8')) as { cases: Case[] };

/** PyTorch's name of a case or hyperparameter, where ours is another. */
const methods: Record<string, string> = {
  rmsprop_centered_momentum: 'rmsprop',
  adam_l2: 'adam',
  amsgrad: 'adam',
};
const names: Record<string, string> = {
  lr: 'learningRate',
  eps: 'epsilon',
  weight_decay: 'weightDecay',
  initial_accumulator_value: 'initialAccumulator',
  momentum_decay: 'momentumDecay',
};

const toTheLastBit = ['sgd', 'momentum', 'nesterov'];

test('there are 14 reference trajectories', () => {
  expect(cases.length).toBe(14);
});

test.each(cases)('$name follows PyTorch over 40 steps', (reference) => {
  const hyperparameters: Record<string, number | boolean> = {};
  for (const [name, value] of Object.entries(reference.hyperparameters)) {
    if (Array.isArray(value)) [hyperparameters.beta1, hyperparameters.beta2] = value;
    else hyperparameters[names[name] ?? name] = value;
  }
  const optimizer = createOptimizer({ name: methods[reference.name] ?? reference.name, hyperparameters });
  const parameters = Float32Array.from(reference.init);
  const slots = optimizer.slots.map((slot) =>
    optimizer.beginSlot(slot, new Float32Array(parameters.length), parameters),
  );
  const learningRate = Number(optimizer.hyperparameters.learningRate);
  let worst = 0;
  let compared = 0;
  for (const [index, gradient] of reference.grads.entries()) {
    const count = index + 1;
    optimizer.update(parameters, parameters, Float32Array.from(gradient), slots, { count, learningRate });
    for (const [element, expected] of (reference.params_after[count] ?? []).entries()) {
      worst = Math.max(worst, Math.abs(parameters[element] - expected) / Math.abs(expected));
      compared++;
    }
  }
  expect(compared).toBe(6 * parameters.length);
  // Where PyTorch rounds as we do, to the last bit. In the others it fuses each product with the sum around it.
  if (toTheLastBit.includes(reference.name)) expect(worst).toBe(0);
  else expect(worst).toBeLessThan(2e-6);
});

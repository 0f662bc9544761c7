import { JobEncoding } from '@tributary/core/codec/JobEncoding.ts';
import type { EncodedRun } from '@tributary/core/job/JobSpec.ts';
import { createSimdKernels } from '@tributary/core/kernels/simdKernels.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import { Trace } from '@tributary/core/trace/Trace.ts';
import { ErrorFeedback } from '@tributary/worker/training/ErrorFeedback.ts';
import { expect, test } from 'vitest';
import { randomVector } from '../core/randomVector.ts';
import { sameBits } from '../server/testCluster.ts';

const length = 2500;
const layout = createLayout([{ name: 'w', shape: [length] }]);
const kernels = createSimdKernels();

function start(runs: EncodedRun[]) {
  const feedback = new ErrorFeedback(new JobEncoding({ layout, encoding: runs }), length, kernels);
  const work = kernels.allocate(feedback.workLength);
  const encode = (gradient: Float32Array, step: number, { rank = 0, token = 1 } = {}) => {
    work.set(gradient);
    const sending = feedback.encode({ rank, token, step, work });
    return { sending, sent: feedback.decode(sending.gradient) };
  };
  return { feedback, encode };
}

const sign: EncodedRun[] = [{ begin: 0, end: length, codec: { name: 'sign' } }];
const gradient = (step: number) => randomVector(step, length).map((value) => value + 1);

test('what arrived and what is owed add up to the gradients', () => {
  const runs: EncodedRun[] = [
    { begin: 0, end: 1100, codec: { name: 'topk', options: { density: 0.05 } } },
    { begin: 1100, end: 1500, codec: { name: 'f32' } },
    { begin: 1500, end: length, codec: { name: 'sign' } },
  ];
  const { feedback, encode } = start(runs);
  const [truth, arrived] = [new Float64Array(length), new Float64Array(length)];
  let owed = new Float32Array(0);
  for (let step = 0; step < 30; step++) {
    const { sending, sent } = encode(gradient(step), step);
    feedback.arrived(sending);
    owed = sending.owedAfter.slice();
    gradient(step).forEach((value, index) => {
      truth[index] += value;
      arrived[index] += sent[index];
      if (index >= 1100 && index < 1500) expect(sent[index]).toBe(value);
    });
  }
  for (let index = 0; index < length; index++)
    expect(Math.abs(truth[index] - arrived[index] - owed[index])).toBeLessThan(0.01);
});

test('with momentum correction top-k sends the velocities of SGD with momentum, later (Lin et al., 2018)', () => {
  const density = 0.1;
  const { feedback, encode } = start([
    { begin: 0, end: length, codec: { name: 'topk', options: { density, momentum: 0.9 } } },
  ]);
  // The paper's algorithm, element by element: u <- m u + g, v <- v + u, and where v is sent both are cleared.
  const [u, v] = [new Float32Array(length), new Float32Array(length)];
  for (let step = 0; step < 20; step++) {
    const { sending, sent } = encode(gradient(step), step);
    feedback.arrived(sending);
    gradient(step).forEach((value, index) => {
      u[index] = Math.fround(Math.fround(0.9) * u[index]) + value;
      v[index] += u[index];
      expect(sent[index] === 0 || sent[index] === v[index]).toBe(true);
      if (sent[index] !== 0) {
        u[index] = 0;
        v[index] = 0;
      }
    });
    // Two whole blocks and one of 452 elements.
    expect(sent.filter((value) => value !== 0)).toHaveLength(103 + 103 + 46);
  }
});

test('a step that is done again after a push failed is encoded as before; one that had arrived counts', () => {
  const { feedback, encode } = start(sign);
  const undisturbed = start(sign);
  for (let step = 0; step < 3; step++) {
    const { sending } = encode(gradient(step), step);
    undisturbed.feedback.arrived(undisturbed.encode(gradient(step), step).sending);
    feedback.arrived(sending);
  }
  const first = encode(gradient(3), 3);
  feedback.inDoubt(first.sending);
  const again = encode(gradient(3), 3);
  expect(sameBits(again.sent, first.sent)).toBe(true);
  // Again no answer; but the servers say that the rank is at step 4 now.
  feedback.inDoubt(again.sending);
  undisturbed.feedback.arrived(undisturbed.encode(gradient(3), 3).sending);
  expect(sameBits(encode(gradient(4), 4).sent, undisturbed.encode(gradient(4), 4).sent)).toBe(true);
});

test('a gradient that was refused leaves no trace', () => {
  const { encode } = start(sign);
  encode(gradient(0).fill(1e6), 0);
  expect(sameBits(encode(gradient(1), 1).sent, start(sign).encode(gradient(1), 1).sent)).toBe(true);
});

test('what is owed is of one rank under one lease', () => {
  const { feedback, encode } = start(sign);
  const fresh = (step: number) => start(sign).encode(gradient(step), step).sent;
  for (const rank of [0, 1, 2]) feedback.arrived(encode(gradient(rank), 0, { rank }).sending);
  expect(sameBits(encode(gradient(9), 1, { rank: 3 }).sent, fresh(9))).toBe(true);
  expect(sameBits(encode(gradient(9), 1, { rank: 0 }).sent, fresh(9))).toBe(false);
  // Rank 1 was lost and came back, and rank 2 was never missed.
  feedback.retain(new Map([[1, 5]]));
  expect(sameBits(encode(gradient(9), 1, { rank: 1, token: 5 }).sent, fresh(9))).toBe(true);
  expect(sameBits(encode(gradient(9), 1, { rank: 2 }).sent, fresh(9))).toBe(true);
  feedback.arrived(encode(gradient(9), 1, { rank: 2 }).sending);
  feedback.clear();
  expect(sameBits(encode(gradient(9), 2, { rank: 2 }).sent, fresh(9))).toBe(true);
});

test('a push that ends after its rank was lost changes nothing', () => {
  const { feedback, encode } = start(sign);
  const late = encode(gradient(0), 0);
  feedback.clear();
  const next = encode(gradient(1), 0, { token: 2 });
  feedback.arrived(late.sending);
  feedback.inDoubt(late.sending);
  expect(sameBits(encode(gradient(1), 0, { token: 2 }).sent, next.sent)).toBe(true);
});

test('what is sent is encoded piece by piece as the wire asks, each once, to the same bytes', () => {
  const elements = 1_000_000;
  const momentum = { name: 'topk', options: { density: 0.01, momentum: 0.9 } };
  const encoding: EncodedRun[] = [
    { begin: 0, end: 700_001, codec: { name: 'int8' } },
    { begin: 700_001, end: elements, codec: momentum },
  ];
  const large = createLayout([{ name: 'w', shape: [elements] }]);
  const values = randomVector(1, elements);
  const open = () => {
    const encoded: number[] = [];
    const trace = new Trace(
      () => 0,
      () => encoded.push(0),
    );
    const jobEncoding = new JobEncoding({ layout: large, encoding });
    const feedback = new ErrorFeedback(jobEncoding, elements, kernels, trace);
    const work = kernels.allocate(feedback.workLength);
    const encode = (step: number) => {
      work.set(values);
      work[step] = 10;
      return feedback.encode({ rank: 0, token: 1, step, work });
    };
    return { feedback, encode, encoded };
  };
  const [lazy, eager] = [open(), open()];
  for (let step = 0; step < 3; step++) {
    const whole = eager.encode(step);
    whole.gradient.finish();
    eager.feedback.arrived(whole);

    const sending = lazy.encode(step);
    const { gradient } = sending;
    lazy.encoded.length = 0;
    // Two servers take turns, and the second one's connection breaks in the middle.
    const border = 400 * 1024;
    const chunksOf = (range: Range) => gradient.encoding.chunks(gradient.bytes, range, gradient.encode);
    const [first, second] = [chunksOf({ begin: 0, end: border }), chunksOf({ begin: border, end: elements })];
    first.next();
    expect(lazy.encoded).toHaveLength(1);
    second.next();
    // The border is in the middle of a piece.
    expect(lazy.encoded).toHaveLength(3);
    for (const _ of first);
    const again = [...chunksOf({ begin: border, end: elements })];
    expect(again.length).toBeGreaterThan(2);
    expect(eager.encoded.length / (step + 1)).toBeGreaterThan(4);
    expect(lazy.encoded).toHaveLength(eager.encoded.length / (step + 1));
    expect(Buffer.compare(gradient.bytes, whole.gradient.bytes)).toBe(0);
    // What the servers refuse to read is owed like the rest.
    lazy.feedback.arrived(sending);
    expect(sameBits(sending.owedAfter, whole.owedAfter)).toBe(true);
  }
});

test('what nobody asked to be sent is settled all the same when the push has arrived', () => {
  const [asked, unasked] = [start(sign), start(sign)];
  asked.feedback.arrived(asked.encode(gradient(0), 0).sending);
  const work = kernels.allocate(unasked.feedback.workLength);
  work.set(gradient(0));
  // As when the servers have it from before, and say so at its first bytes.
  unasked.feedback.arrived(unasked.feedback.encode({ rank: 0, token: 1, step: 0, work }));
  expect(sameBits(asked.encode(gradient(1), 1).sent, unasked.encode(gradient(1), 1).sent)).toBe(true);
});

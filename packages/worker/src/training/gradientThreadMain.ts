import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '@tributary/core/errors/invariant.ts';
import { asTributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { GradientReply, GradientRequest, GradientThreadData } from './gradientMessages.ts';
import { openTraining } from './openTraining.ts';

/*
 * The thread that computes. A gradient may take seconds, and while it runs nothing else of its thread does: heartbeats and
 * the network live in the main thread.
 */
const port = parentPort;
invariant(port !== null, 'this file is the start of a thread');
const data = workerData as GradientThreadData;
const reply = (message: GradientReply) => port.postMessage(message);
const fail = (error: unknown) => {
  const { code, message, hint } = asTributaryError(error);
  reply({ kind: 'error', code, message, hint });
};

try {
  const training = await openTraining(data);
  port.on('message', async (request: GradientRequest) => {
    try {
      if (request.kind === 'evaluate') {
        const { loss, accuracy } = await training.evaluate(request.at);
        reply({ kind: 'evaluation', loss, accuracy: accuracy ?? null });
      } else {
        const { quantity, node, step, target } = request;
        reply({ kind: 'sum', ...(await training.sums.sum(quantity, node, step, target)) });
      }
    } catch (error) {
      fail(error);
    }
  });
  reply({ kind: 'ready', backend: training.backend, note: training.note });
} catch (error) {
  fail(error);
}

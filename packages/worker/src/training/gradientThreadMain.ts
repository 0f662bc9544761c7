import { enableCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '@tributary/core/errors/invariant.ts';
import { asTributaryError } from '@tributary/core/errors/TributaryError.ts';
import { type Span, Trace } from '@tributary/core/trace/Trace.ts';
import type {
  GradientReply,
  GradientRequest,
  GradientThreadData,
  ReadAhead,
  TracedReply,
} from './gradientMessages.ts';
import { traceClock } from './traceClock.ts';

/*
 * The thread that computes. A gradient may take seconds, and while it runs nothing else of its thread does: heartbeats and
 * the network live in the main thread.
 */
const port = parentPort;
invariant(port !== null, 'this file is the start of a thread');
const data = workerData as GradientThreadData;
const spans: Span[] = [];
const trace = data.traced ? new Trace(traceClock, (span) => spans.push(span)) : undefined;
const reply = (message: GradientReply) =>
  port.postMessage(
    (trace === undefined ? message : { ...message, spans: spans.splice(0) }) satisfies TracedReply,
  );
const fail = (error: unknown) => {
  const { code, message, hint } = asTributaryError(error);
  reply({ kind: 'error', code, message, hint });
};

// A thread has a cache of its own, and the command's does not reach it.
enableCompileCache();
const { openTraining } = await import('./openTraining.ts');

try {
  const training = await openTraining(data, trace);
  port.on('message', async (request: GradientRequest | ReadAhead) => {
    // Heard between two runs of ONNX Runtime: a thread that is ended in the middle of one takes the process with it.
    if (request.kind === 'stop') process.exit();
    if (request.kind === 'readAhead') {
      training.readAhead(request.ranks, request.step);
      return;
    }
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

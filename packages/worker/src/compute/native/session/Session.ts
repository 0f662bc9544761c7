import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import '../../../config.ts';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Buffer } from '../../ComputeBackend.ts';
import { encodeModel } from '../onnx/encodeModel.ts';
import type { OnnxModel, ValueInfo } from '../onnx/OnnxModel.ts';

/** A graph ready to run. */
export interface Session {
  /** Reads the inputs and fills the outputs, both in the order of the model. */
  run(inputs: readonly Buffer[], outputs: readonly Buffer[]): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * Opens an onnxruntime session on the CPU, in this thread.
 * Throws UNIMPLEMENTED, in onnxruntime's words, if it has no kernel for an operation of the model.
 */
export async function openSession(model: OnnxModel, threads: number): Promise<Session> {
  const session = await createSession(encodeModel(model), threads);
  return {
    async run(inputs, outputs) {
      await runSession(session, model, inputs, outputs);
    },
    dispose: () => session.release(),
  };
}

export async function createSession(model: Uint8Array, threads: number): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(model, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // Errors reach the caller as exceptions; warnings about constants that were folded away interest no one.
      logSeverityLevel: 4,
      // Threads that wait by spinning take the processor from the other processes of a machine: twice slower here on two cores.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
  } catch (error) {
    const [message] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new TributaryError('UNIMPLEMENTED', `onnxruntime cannot run the lowered model: ${message}`, {
      hint: 'Use --compute reference, or auto.',
      cause: error,
    });
  }
}

export async function runSession(
  session: InferenceSession,
  signature: { readonly inputs: readonly ValueInfo[]; readonly outputs: readonly ValueInfo[] },
  inputs: readonly Buffer[],
  outputs: readonly Buffer[],
): Promise<void> {
  try {
    // onnxruntime-node reads inputs in place and fills the given outputs; that it also returns copies of them cannot be turned off.
    await session.run(tensors(signature.inputs, inputs), tensors(signature.outputs, outputs));
  } catch (error) {
    throw translateRunError(error);
  }
}

function tensors(infos: readonly ValueInfo[], buffers: readonly Buffer[]): Record<string, Tensor> {
  return Object.fromEntries(
    infos.map(({ name, type, shape }, index) => [
      name,
      new Tensor(type as 'float32', buffers[index] as Float32Array, shape),
    ]),
  );
}

/** What Gather, GatherND and ScatterND say of an index out of range. */
const outOfRange = [
  /idx=(?<index>-?\d+) must be within the inclusive range \[-?\d+,(?<last>-?\d+)\]/,
  /invalid index found, index = (?<index>-?\d+)/,
  /invalid indice/,
];

function translateRunError(error: unknown): unknown {
  const message = error instanceof Error ? error.message : String(error);
  const match = outOfRange.map((pattern) => pattern.exec(message)).find((found) => found !== null);
  if (match === undefined) return error;
  const { index, last } = match.groups ?? {};
  const which = index === undefined ? 'an index' : `the index ${index}`;
  const range = last === undefined ? '' : `, which goes from 0 to ${last}`;
  return new TributaryError('OUT_OF_RANGE', `${which} is out of range of the array it indexes${range}`, {
    hint: 'Compare the labels or ids of the data with the sizes in the model.',
    cause: error,
  });
}

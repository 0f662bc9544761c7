import { webAssembly } from '../../webassembly/webAssembly.ts';
import { kernelModule } from './gateModule.ts';
import type { Gate } from './gates.ts';

/** The kernel of packages/core/assembly/quantum: byte addresses of the real and imaginary parts, bytes of each, the qubit (not 0), the gate. */
export type GateKernel = (re: number, im: number, bytes: number, target: number, ...gate: Gate) => void;

const pageBytes = 65536;

let compiled: object | undefined;

/** Zeros for the parts of a state, in a WebAssembly memory of their own that goes when they do, and the kernel over that memory. */
export function allocateAmplitudes(size: number): { re: Float64Array; im: Float64Array; kernel: GateKernel } {
  compiled ??= new webAssembly.Module(Buffer.from(kernelModule, 'base64'));
  const pages = Math.ceil((2 * size * Float64Array.BYTES_PER_ELEMENT) / pageBytes);
  const memory = new webAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const { exports } = new webAssembly.Instance(compiled, { env: { memory } });
  const { applyGate } = exports as { applyGate: GateKernel };
  const { buffer } = memory;
  return {
    re: new Float64Array(buffer, 0, size),
    im: new Float64Array(buffer, size * Float64Array.BYTES_PER_ELEMENT, size),
    kernel: applyGate,
  };
}

import { defaultDevice, init } from '@jax-js/jax';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';

let ready: Promise<void> | undefined;

/**
 * Makes jax-js ready on its WebAssembly device; to be awaited once before any array is made. Repeated calls cost nothing.
 * Throws UNAVAILABLE where WebAssembly is missing.
 */
export function initialiseJax(): Promise<void> {
  ready ??= initialise();
  return ready;
}

async function initialise(): Promise<void> {
  // The device is named, because `init()` alone also probes for a GPU through `navigator`, which not every Node has.
  const devices = await init('wasm');
  if (!devices.includes('wasm')) {
    throw new TributaryError('UNAVAILABLE', 'automatic differentiation needs WebAssembly, which is off', {
      hint: 'Start Node without --jitless.',
    });
  }
  defaultDevice('wasm');
}

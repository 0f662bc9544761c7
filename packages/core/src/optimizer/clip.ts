import { TributaryError } from '../errors/TributaryError.ts';
import type { ClippingSpec } from '../job/JobSpec.ts';

/** Throws INVALID_ARGUMENT unless both bounds, where given, are positive numbers. */
export function checkClipping(spec: ClippingSpec): void {
  for (const [name, bound] of Object.entries(spec)) {
    if (name !== 'value' && name !== 'norm') {
      throw new TributaryError('INVALID_ARGUMENT', `clipping has no option "${name}"`, {
        hint: 'Its options: value (above 0), norm (above 0).',
      });
    }
    if (bound !== undefined && !(Math.fround(bound) > 0 && Number.isFinite(bound))) {
      throw new TributaryError('INVALID_ARGUMENT', `clipping: ${name} is ${JSON.stringify(bound)}`, {
        hint: 'It must be above 0. Leave it out to not clip.',
      });
    }
  }
}

/** What a gradient of Euclidean norm `norm` is multiplied with so that its norm is at most `max`. Pascanu, Mikolov & Bengio, 2013. */
export function clipScale(norm: number, max: number): number {
  return norm > max ? max / norm : 1;
}

/** Holds every element within [-limit, limit], in place. */
export function clipByValue(values: Float32Array, limit: number): void {
  const bound = Math.fround(limit);
  for (let index = 0; index < values.length; index++) {
    values[index] = Math.min(Math.max(values[index], -bound), bound);
  }
}

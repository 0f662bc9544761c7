import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { TracedProgram } from '../autodiff/TracedProgram.ts';
import type { ArraySpec } from './ComputeBackend.ts';

/** The outputs of a trace as the contract speaks of them. Throws UNIMPLEMENTED for types that no backend returns (float16, float64). */
export function outputSpecs(traced: TracedProgram): ArraySpec[] {
  return traced.outputs.map(({ aval }, index) => {
    const dtype = String(aval.dtype);
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'uint32' && dtype !== 'bool') {
      throw new TributaryError('UNIMPLEMENTED', `output ${index} has the type ${dtype}`, {
        hint: 'Results are float32, int32, uint32 or bool: cast with .astype(np.float32).',
      });
    }
    return { shape: [...aval.shape], dtype };
  });
}

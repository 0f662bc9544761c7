import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import { limits } from '@tributary/core/limits/limits.ts';

/** Throws INVALID_ARGUMENT, saying what it would take, if a method cannot form a matrix over all parameters of such a model. */
export function requireSmall(method: string, matrix: string, { length }: Layout): void {
  if (length <= limits.hessianParametersMax) return;
  const elements = (length * (length + 1)) / 2;
  throw new TributaryError(
    'INVALID_ARGUMENT',
    `${method} needs the ${matrix} of all ${length} parameters: ${elements} numbers, ${readableBytes(elements * 8)} in each worker`,
    {
      hint: `At most ${limits.hessianParametersMax} parameters are possible. Use newtonCg() or lbfgs(), which never form it.`,
    },
  );
}

function readableBytes(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

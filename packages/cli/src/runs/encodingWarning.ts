import { JobEncoding } from '@tributary/core/codec/JobEncoding.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';

/**
 * That encoded gradients would be more bytes than plain ones, if so: they travel rank by rank, plain ones as the sum of a worker's ranks. (In the asynchronous modes
 * all go rank by rank.)
 */
export function encodingWarning(spec: JobSpec, workers: number): string | undefined {
  const { encoding, staleness, ranks, layout, name } = spec;
  if (encoding === undefined || staleness !== 0) return undefined;
  const encoded = ranks * new JobEncoding(spec).at(0).bytes;
  const plain = Math.min(ranks, workers) * layout.length * 4;
  if (encoded < plain) return undefined;
  return `encoded, the gradients of job "${name}" are ${(encoded / plain).toFixed(1)} times as many bytes as in float32: each of its ${ranks} ranks pushes for itself, where plain gradients are added for each of ${workers} workers; as many ranks as workers (--ranks ${workers}, and a greater --batch-size) would save some`;
}

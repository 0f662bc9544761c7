import { type CodecName, createCodec } from '@tributary/core/codec/table.ts';
import type { CodecSpec, EncodedRun } from '@tributary/core/job/JobSpec.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import { firstMatch, requireMatches } from '@tributary/core/layout/namePattern.ts';

/** An encoding by its name, or with its options: `'bf16'`, `topk({ density: 0.02 })`. */
export type Encoding = CodecName | CodecSpec;

/** One for the whole gradient, or by pattern of the tensors' names. The first pattern that matches counts; tensors that match none go as float32. */
export type GradientEncoding = Encoding | Readonly<Record<string, Encoding>>;

/**
 * Only the greatest of each 1024 elements, the fraction `density` (default 0.01), with `momentum` correction if above 0 (default 0): then the optimizer must be plain
 * sgd, which becomes SGD with that momentum. Lin et al., "Deep Gradient Compression", 2018.
 */
export function topk(options: { density?: number; momentum?: number } = {}): CodecSpec {
  return { name: 'topk', options };
}

export function isEncoding(value: unknown): value is Encoding {
  if (typeof value === 'string') return true;
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';
}

/** All encodings that a gradient has, as the table of codecs takes them. */
export function codecSpecs(encoding: GradientEncoding): CodecSpec[] {
  return isEncoding(encoding) ? [specOf(encoding)] : Object.values(encoding).map(specOf);
}

/**
 * Where each encoding begins and ends, tensors with the same one taken together; undefined if all are float32. Throws INVALID_ARGUMENT for a pattern that no tensor
 * matches.
 */
export function encodedRuns(encoding: GradientEncoding, { tensors }: Layout): EncodedRun[] | undefined {
  const byPattern = isEncoding(encoding) ? { '*': encoding } : encoding;
  const patterns = Object.keys(byPattern);
  const names = tensors.map(({ name }) => name);
  if (!isEncoding(encoding)) requireMatches('encoding', patterns, names);
  const runs: EncodedRun[] = [];
  for (const { name, offset, length } of tensors) {
    const pattern = firstMatch(patterns, name);
    const codec = specOf(pattern === undefined ? 'f32' : byPattern[pattern]);
    const last = runs.at(-1);
    if (last !== undefined && JSON.stringify(last.codec) === JSON.stringify(codec))
      runs[runs.length - 1] = { ...last, end: offset + length };
    else if (length > 0) runs.push({ begin: offset, end: offset + length, codec });
  }
  return runs.every(({ codec }) => createCodec(codec).lossless) ? undefined : runs;
}

/** Without options that are not given, so that equal encodings look alike. */
function specOf(encoding: Encoding): CodecSpec {
  const { name, options = {} } = typeof encoding === 'string' ? { name: encoding } : encoding;
  return Object.keys(options).length === 0 ? { name } : { name, options };
}

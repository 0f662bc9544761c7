import { TributaryError } from '../errors/TributaryError.ts';
import type { CodecSpec } from '../job/JobSpec.ts';
import { bf16 } from './bf16.ts';
import type { Codec } from './Codec.ts';
import { f16 } from './f16.ts';
import { f32 } from './f32.ts';
import { int8 } from './int8.ts';
import { sign } from './sign.ts';
import { topk } from './topk.ts';

/** What can be set of a codec, with defaults, and the codec of that. */
interface CodecRow {
  readonly defaults: Readonly<Record<string, number>>;
  bind(options: never): Codec;
}

/** Every codec by name. A new one is a file and a row here, its kernels in packages/core/assembly, and a value of Encoding in the .proto file. */
export const codecs = {
  f32: { defaults: {}, bind: () => f32 },
  bf16: { defaults: {}, bind: () => bf16 },
  f16: { defaults: {}, bind: () => f16 },
  int8: { defaults: {}, bind: () => int8 },
  topk: { defaults: { density: 0.01, momentum: 0 }, bind: topk },
  sign: { defaults: {}, bind: () => sign },
} satisfies Readonly<Record<string, CodecRow>>;

export type CodecName = keyof typeof codecs;

/** Throws INVALID_ARGUMENT for an unknown codec or option, or one out of range. */
export function createCodec({ name, options = {} }: CodecSpec): Codec {
  const row = Object.hasOwn(codecs, name) ? (codecs[name as CodecName] as CodecRow) : undefined;
  if (row === undefined) {
    throw new TributaryError('INVALID_ARGUMENT', `there is no encoding "${name}"`, {
      hint: `Use one of: ${Object.keys(codecs).join(', ')}.`,
    });
  }
  for (const option of Object.keys(options)) {
    if (Object.hasOwn(row.defaults, option)) continue;
    const known = Object.keys(row.defaults).join(', ');
    throw new TributaryError('INVALID_ARGUMENT', `encoding "${name}" has no option "${option}"`, {
      hint: known === '' ? 'It takes no options.' : `Its options: ${known}.`,
    });
  }
  return row.bind({ ...row.defaults, ...options } as never);
}

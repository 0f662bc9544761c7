import { TributaryError } from '../errors/TributaryError.ts';
import type { Layout } from '../layout/Layout.ts';
import type { SlotLayout } from '../layout/slotLayout.ts';
import { limits } from '../limits/limits.ts';
import { sectionsOf } from './sections.ts';

/** A tensor in a safetensors file. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes [begin, end), counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order of their bytes. */
  readonly tensors: readonly StoredTensor[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Bytes of the header, its length field included: where the data begin. */
  readonly headerBytes: number;
  /** Bytes after the header. */
  readonly dataBytes: number;
}

/**
 * The header of a checkpoint: a safetensors file (https://github.com/huggingface/safetensors) with the parameters under their own names,
 * then every optimizer slot as `optimizer/<slot>/<tensor>`; all float32, little-endian, in the order of the flat vector.
 *
 * Eight bytes of length, then JSON, then spaces: up to a size that depends on the layout and the slots alone and not on the metadata. So
 * every server knows where its bytes go without asking. Throws INVALID_ARGUMENT if the metadata do not fit, or two tensors have one name.
 */
export function encodeHeader(
  layout: Layout,
  slots: readonly SlotLayout[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const json = headerJson(layout, slots, metadata);
  const bytes = new Uint8Array(headerBytes(layout, slots));
  const room = bytes.length - 8;
  if (json.length > room) {
    const excess = json.length - room;
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `the metadata of a checkpoint are ${excess} bytes too long`,
      {
        hint: `At most ${limits.checkpointMetadataBytes} bytes are possible, encoded as JSON.`,
      },
    );
  }
  return fill(bytes, json);
}

/** Bytes of the header of every checkpoint with this layout and these slots. */
export function headerBytes(layout: Layout, slots: readonly SlotLayout[]): number {
  return roundUp8(8 + headerJson(layout, slots, {}).length + limits.checkpointMetadataBytes);
}

/** The shortest header of a file of parameters alone. */
export function encodeTightHeader(
  layout: Layout,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const json = headerJson(layout, [], metadata);
  return fill(new Uint8Array(roundUp8(8 + json.length)), json);
}

/**
 * Reads the header at the begin of a safetensors file; `bytes` may hold more than it. `fileBytes` is the size of the whole file, if known: then
 * the tensors must fill it. Throws INVALID_ARGUMENT naming what is wrong.
 */
export function decodeHeader(bytes: Uint8Array, fileBytes?: number): Header {
  if (bytes.length < 8) throw malformed(`${bytes.length} bytes are too few for a header`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(limits.headerBytesMax)) {
    throw malformed(
      `its header would be ${length} bytes long; at most ${limits.headerBytesMax} are accepted`,
    );
  }
  const headerEnd = 8 + Number(length);
  if (headerEnd > bytes.length) {
    throw malformed(`its header is cut off: ${headerEnd} bytes announced, ${bytes.length} there`);
  }
  const { __metadata__: metadata = {}, ...entries } = parseObject(bytes.subarray(8, headerEnd));
  const tensors = Object.entries(entries)
    .map(([name, entry]) => storedTensor(name, entry))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const tensor of tensors) {
    if (tensor.begin !== end) {
      throw malformed(`tensor "${tensor.name}" begins at byte ${tensor.begin} of the data instead of ${end}`);
    }
    end = tensor.end;
  }
  if (fileBytes !== undefined && headerEnd + end !== fileBytes) {
    throw malformed(`it has ${fileBytes} bytes, but its header describes ${headerEnd + end}`);
  }
  return { tensors, metadata: checkMetadata(metadata), headerBytes: headerEnd, dataBytes: end };
}

function headerJson(
  layout: Layout,
  slots: readonly SlotLayout[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const entries = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) entries.set('__metadata__', metadata);
  let begin = 0;
  for (const { names, layout: section } of sectionsOf(layout, slots)) {
    for (const [index, { shape, length }] of section.tensors.entries()) {
      const name = names[index];
      if (name === '__metadata__' || entries.has(name)) {
        throw new TributaryError('INVALID_ARGUMENT', `a parameter cannot be saved under the name "${name}"`, {
          hint: 'The name is taken by something else in the checkpoint: rename the parameter.',
        });
      }
      const end = begin + length * 4;
      entries.set(name, { dtype: 'F32', shape, data_offsets: [begin, end] });
      begin = end;
    }
  }
  // Not JSON.stringify of an object: that would put names such as "0" first.
  const members = Array.from(entries, ([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`);
  return new TextEncoder().encode(`{${members.join(',')}}`);
}

function fill(bytes: Uint8Array<ArrayBuffer>, json: Uint8Array): Uint8Array<ArrayBuffer> {
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.fill(0x20, 8);
  bytes.set(json, 8);
  return bytes;
}

function roundUp8(value: number): number {
  return Math.ceil(value / 8) * 8;
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw malformed('its header is not JSON', cause);
  }
  if (!isRecord(value)) throw malformed('its header is not a JSON object');
  return value;
}

function checkMetadata(metadata: unknown): Record<string, string> {
  if (!isRecord(metadata)) throw malformed('__metadata__ is not an object');
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') throw malformed(`"${key}" in __metadata__ is not a string`);
  }
  return metadata as Record<string, string>;
}

/** Bytes of one element by dtype, as the format lists them; types of less than a byte are left out. */
const dtypeBytes: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
};

function storedTensor(name: string, entry: unknown): StoredTensor {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  if (typeof dtype !== 'string' || !Object.hasOwn(dtypeBytes, dtype)) {
    throw malformed(`tensor "${name}" has the unknown dtype ${JSON.stringify(dtype)}`);
  }
  if (!isCounts(shape)) throw malformed(`tensor "${name}" has the shape ${JSON.stringify(shape)}`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw malformed(`tensor "${name}" has the data_offsets ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = offsets;
  const expected = shape.reduce((product, dimension) => product * dimension, dtypeBytes[dtype]);
  if (end - begin !== expected) {
    throw malformed(`tensor "${name}" has ${end - begin} bytes; its shape and dtype need ${expected}`);
  }
  return { name, dtype, shape, begin, end };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function malformed(what: string, cause?: unknown): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', `not a valid safetensors file: ${what}`, { cause });
}

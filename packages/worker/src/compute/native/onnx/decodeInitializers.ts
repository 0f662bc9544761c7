import {
  type FloatType,
  floatBytes,
  isFloatType,
  toFloat32,
} from '@tributary/core/checkpoint-format/toFloat32.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import type { TrainedTensors } from '@tributary/core/transfer/transferParameters.ts';
import { fieldsOf, integersOf } from './fieldsOf.ts';

/** What a TensorProto says of itself. Numbers of fields and types are those of onnx.proto: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
interface Initializer {
  readonly name: string;
  readonly shape: readonly number[];
  /** By its name in safetensors, or its number in ONNX where it is no float. */
  readonly dtype: string;
  /** Little-endian elements. */
  readonly bytes: () => Uint8Array;
}

const dtypes: Readonly<Record<string, string>> = { 1: 'F32', 10: 'F16', 11: 'F64', 16: 'BF16' };

/**
 * The parameters in an ONNX file: the initializers of its graph that are floats, as float32. `readExternal` gives the bytes of a file beside the
 * model, by its relative path. Throws INVALID_ARGUMENT if it is no ONNX file, or malformed.
 */
export function decodeInitializers(
  file: Uint8Array,
  readExternal: (location: string) => Uint8Array,
): TrainedTensors {
  try {
    const initializers = readInitializers(file, readExternal);
    const floats = initializers.filter(({ dtype }) => isFloatType(dtype));
    const layout = createLayout(floats);
    const flat = new Float32Array(layout.length);
    for (const [index, { name, dtype, bytes }] of floats.entries()) {
      const { offset, length, shape } = layout.tensors[index];
      const elements = bytes();
      const needed = length * floatBytes[dtype as FloatType];
      if (elements.length !== needed) {
        throw invalid(
          `"${name}" has ${elements.length} bytes, its shape [${shape.join(', ')}] needs ${needed}`,
        );
      }
      flat.set(toFloat32(elements, dtype as FloatType), offset);
    }
    return { layout, flat, others: initializers.filter(({ dtype }) => !isFloatType(dtype)) };
  } catch (cause) {
    if (!(cause instanceof TributaryError) || cause.code !== 'INVALID_ARGUMENT') throw cause;
    throw new TributaryError(cause.code, `not a valid ONNX file: ${cause.message}`, { cause });
  }
}

function readInitializers(file: Uint8Array, readExternal: (location: string) => Uint8Array): Initializer[] {
  const initializers: Initializer[] = [];
  let graphs = 0;
  for (const { number, value } of fieldsOf(file)) {
    if (number !== 7 || typeof value === 'bigint') continue;
    graphs++;
    for (const field of fieldsOf(value)) {
      if (field.number === 5 && typeof field.value !== 'bigint') {
        initializers.push(readTensor(field.value, readExternal));
      }
    }
  }
  if (graphs === 0) throw invalid('it has no graph');
  return initializers;
}

function readTensor(message: Uint8Array, readExternal: (location: string) => Uint8Array): Initializer {
  const shape: number[] = [];
  const parts: Uint8Array[] = [];
  const external = new Map<string, string>();
  let type = 0;
  let name = '';
  for (const { number, value } of fieldsOf(message)) {
    if (number === 1) shape.push(...integersOf(value).map(Number));
    else if (number === 2) type = Number(value);
    else if (number === 5) {
      // Of 16-bit floats each is a whole number of its own.
      parts.push(new Uint8Array(Uint16Array.from(integersOf(value), Number).buffer));
    } else if (typeof value === 'bigint') continue;
    else if (number === 8) name = new TextDecoder().decode(value);
    // raw_data, float_data and double_data: the elements as they are.
    else if (number === 4 || number === 9 || number === 10) parts.push(value);
    else if (number === 13) external.set(...readEntry(value));
  }
  const bytes = () =>
    external.has('location') ? externalBytes(name, external, readExternal) : Buffer.concat(parts);
  return { name, shape, dtype: dtypes[type] ?? `of ONNX type ${type}`, bytes };
}

/** A StringStringEntryProto. */
function readEntry(message: Uint8Array): [key: string, value: string] {
  const texts = { 1: '', 2: '' };
  for (const { number, value } of fieldsOf(message)) {
    if ((number === 1 || number === 2) && typeof value !== 'bigint') {
      texts[number] = new TextDecoder().decode(value);
    }
  }
  return [texts[1], texts[2]];
}

/** Elements in a file beside the model, as models above 2 GB have them. */
function externalBytes(
  name: string,
  entries: ReadonlyMap<string, string>,
  readExternal: (location: string) => Uint8Array,
): Uint8Array {
  const file = readExternal(entries.get('location')!);
  const begin = Number(entries.get('offset') ?? 0);
  const end = begin + Number(entries.get('length') ?? file.length - begin);
  if (begin <= end && end <= file.length) return file.subarray(begin, end);
  throw invalid(
    `"${name}" is at bytes ${begin} to ${end} of ${entries.get('location')}, which has ${file.length}`,
  );
}

function invalid(message: string): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', message);
}

import { invariant } from '../errors/invariant.ts';
import { createLayout, type Layout } from '../layout/Layout.ts';
import { averageSlot } from '../layout/slotLayout.ts';
import { decodeHeader, encodeTightHeader } from './header.ts';
import { slotPrefix } from './sections.ts';
import { type FloatType, isFloatType, toFloat32 } from './toFloat32.ts';

/** The parameters as a safetensors file of their own, as other programs read it. */
export function encodeSafetensors(
  layout: Layout,
  flat: Float32Array,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  invariant(flat.length === layout.length, 'the flat vector is as long as its layout');
  const header = encodeTightHeader(layout, metadata);
  const file = new Uint8Array(header.length + flat.byteLength);
  file.set(header);
  file.set(new Uint8Array(flat.buffer, flat.byteOffset, flat.byteLength), header.length);
  return file;
}

/** The float tensors of a file, as float32. */
export interface DecodedTensors {
  readonly layout: Layout;
  readonly flat: Float32Array<ArrayBuffer>;
  /** Tensors of other types, which are not read. */
  readonly others: readonly { readonly name: string; readonly dtype: string }[];
}

/**
 * Reads a safetensors file: ours, a checkpoint (its optimizer slots are left out; an average of the parameters takes their place), or another program's. Floats of other widths become float32, other types
 * are only named. Throws INVALID_ARGUMENT if it is malformed.
 */
export function decodeSafetensors(
  file: Uint8Array,
): DecodedTensors & { readonly metadata: Readonly<Record<string, string>> } {
  const header = decodeHeader(file, file.length);
  const tensors = header.tensors.filter(({ name }) => !name.startsWith(slotPrefix));
  const floats = tensors.filter(({ dtype }) => isFloatType(dtype));
  const layout = createLayout(floats);
  const flat = new Float32Array(layout.length);
  const averages = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
  for (const [index, tensor] of floats.entries()) {
    const { dtype, begin, end } = averages.get(`${slotPrefix}${averageSlot}/${tensor.name}`) ?? tensor;
    const source = file.subarray(header.headerBytes + begin, header.headerBytes + end);
    flat.set(toFloat32(source, dtype as FloatType), layout.tensors[index].offset);
  }
  const others = tensors
    .filter(({ dtype }) => !isFloatType(dtype))
    .map(({ name, dtype }) => ({ name, dtype }));
  return { layout, flat, others, metadata: header.metadata };
}

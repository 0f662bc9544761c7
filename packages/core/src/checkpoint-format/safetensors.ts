import { invariant } from '../errors/invariant.ts';
import { TributaryError } from '../errors/TributaryError.ts';
import { createLayout, type Layout } from '../layout/Layout.ts';
import { decodeHeader, encodeTightHeader } from './header.ts';
import { slotPrefix } from './sections.ts';

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

/**
 * Reads a safetensors file: ours, a checkpoint (its optimizer slots are left out), or another program's. Throws INVALID_ARGUMENT if it is malformed or has
 * a tensor that is not float32.
 */
export function decodeSafetensors(file: Uint8Array): {
  layout: Layout;
  flat: Float32Array<ArrayBuffer>;
  metadata: Readonly<Record<string, string>>;
} {
  const header = decodeHeader(file, file.length);
  const tensors = header.tensors.filter(({ name }) => !name.startsWith(slotPrefix));
  for (const { name, dtype } of tensors) {
    if (dtype !== 'F32') {
      throw new TributaryError('INVALID_ARGUMENT', `tensor "${name}" of the safetensors file is ${dtype}`, {
        hint: 'Only float32 (F32) can be read: convert the file first.',
      });
    }
  }
  const layout = createLayout(tensors);
  const flat = new Float32Array(layout.length);
  const bytes = new Uint8Array(flat.buffer);
  for (const [index, { begin, end }] of tensors.entries()) {
    const source = file.subarray(header.headerBytes + begin, header.headerBytes + end);
    bytes.set(source, layout.tensors[index].offset * 4);
  }
  return { layout, flat, metadata: header.metadata };
}

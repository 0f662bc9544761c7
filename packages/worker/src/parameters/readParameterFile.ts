import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { TrainedTensors } from '@tributary/core/transfer/transferParameters.ts';
import { decodeInitializers } from '../compute/native/onnx/decodeInitializers.ts';

/** The float tensors of a safetensors or ONNX file, told apart by the name's end. Throws INVALID_ARGUMENT, naming the file, if it is neither. */
export function readParameterFile(path: string): TrainedTensors {
  const file = readWhole(path);
  try {
    return path.endsWith('.onnx')
      ? decodeInitializers(file, externalFiles(dirname(path)))
      : decodeSafetensors(file);
  } catch (cause) {
    if (!(cause instanceof TributaryError)) throw cause;
    throw new TributaryError(cause.code, `${path}: ${cause.message}`, {
      hint: cause.hint ?? 'Give a .safetensors or an .onnx file.',
      cause,
    });
  }
}

function readWhole(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    // Not to be opened, or above the 2 GiB that Node reads at once.
    throw new TributaryError('FAILED_PRECONDITION', `${path} cannot be read: ${(cause as Error).message}`, {
      hint: 'Give a file of up to 2 GiB that this user may read.',
      cause,
    });
  }
}

/** Reads each file beside an ONNX model once, and none elsewhere. */
function externalFiles(folder: string): (location: string) => Uint8Array {
  const read = new Map<string, Uint8Array>();
  return (location) => {
    if (isAbsolute(location) || location.split(/[\\/]/).includes('..')) {
      throw new TributaryError('INVALID_ARGUMENT', `its data would be outside of its folder, in ${location}`);
    }
    const known = read.get(location);
    if (known !== undefined) return known;
    const bytes = readWhole(join(folder, location));
    read.set(location, bytes);
    return bytes;
  };
}

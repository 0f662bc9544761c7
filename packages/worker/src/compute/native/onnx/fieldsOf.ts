import { TributaryError } from '@tributary/core/errors/TributaryError.ts';

/** One field of a protobuf message: a whole number, or bytes (a string, a message, packed numbers, or a number of fixed width, little-endian). */
export interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

/**
 * Reads protobuf wire format (https://protobuf.dev/programming-guides/encoding), the counterpart of ProtobufWriter. Bytes are views of the message. Throws
 * INVALID_ARGUMENT where it is malformed.
 */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let position = 0;
  const varint = (): bigint => {
    const { value, end } = readVarint(message, position);
    position = end;
    return value;
  };
  const take = (length: number): Uint8Array => {
    if (length > message.length - position) throw malformed(`a field of ${length} bytes is cut off`);
    position += length;
    return message.subarray(position - length, position);
  };
  while (position < message.length) {
    const tag = Number(varint());
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        yield { number, value: take(8) };
        break;
      case 2:
        yield { number, value: take(Number(varint())) };
        break;
      case 5:
        yield { number, value: take(4) };
        break;
      default:
        throw malformed(`field ${number} has the unknown wire type ${tag % 8}`);
    }
  }
}

/** Whole numbers of a repeated field, packed into one value or each a field of its own. */
export function integersOf(value: bigint | Uint8Array): bigint[] {
  if (typeof value === 'bigint') return [value];
  const integers: bigint[] = [];
  for (let position = 0; position < value.length; ) {
    const read = readVarint(value, position);
    integers.push(read.value);
    position = read.end;
  }
  return integers;
}

/** Seven bits a byte, the lowest first; the highest bit of a byte says that another follows. As a signed 64-bit number. */
function readVarint(bytes: Uint8Array, begin: number): { value: bigint; end: number } {
  let value = 0n;
  for (let position = begin; position < Math.min(bytes.length, begin + 10); position++) {
    value |= BigInt(bytes[position] & 0x7f) << BigInt(7 * (position - begin));
    if (bytes[position] < 0x80) return { value: BigInt.asIntN(64, value), end: position + 1 };
  }
  throw malformed('a number is cut off');
}

function malformed(what: string): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', `malformed protobuf: ${what}`);
}

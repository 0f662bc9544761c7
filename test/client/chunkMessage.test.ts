import { fileURLToPath } from 'node:url';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import { decodeChunkMessage, encodeChunk } from '@tributary/core/codec/chunkMessage.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/** The same .proto, encoded and decoded by protobufjs. */
const loaded = loadSync(
  fileURLToPath(import.meta.resolve('@tributary/proto/tributary/v1/parameter_server.proto')),
  { longs: Number, enums: String, defaults: true, oneofs: true },
);
const { requestSerialize, requestDeserialize } = (loaded['tributary.v1.ParameterServer'] as ServiceDefinition)
  .Push as unknown as {
  requestSerialize(message: unknown): Buffer;
  requestDeserialize(bytes: Buffer): {
    part: string;
    header: unknown;
    chunk: { offset: number; data: Buffer };
  };
};

const decode = (bytes: Uint8Array) =>
  decodeChunkMessage(bytes, (message) => requestDeserialize(message as Buffer).header);

const chunks = fc.record({
  offset: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  data: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

/** Fields 3 and above of every wire type, groups in groups too: what a later version of the contract may add. */
const { field: unknownField } = fc.letrec<{ field: Buffer }>((tie) => {
  const number = fc.integer({ min: 3, max: 2 ** 29 - 1 });
  return {
    field: fc.oneof(
      { depthSize: 'small' },
      fc.tuple(number, fc.nat()).map(([id, value]) => Buffer.concat([varint(id * 8), varint(value)])),
      number.map((id) => Buffer.concat([varint(id * 8 + 1), Buffer.alloc(8, 255)])),
      fc
        .tuple(number, fc.uint8Array({ maxLength: 9 }))
        .map(([id, bytes]) => Buffer.concat([varint(id * 8 + 2), varint(bytes.length), bytes])),
      number.map((id) => Buffer.concat([varint(id * 8 + 5), Buffer.alloc(4, 255)])),
      fc
        .tuple(number, fc.array(tie('field'), { maxLength: 2 }))
        .map(([id, inner]) => Buffer.concat([varint(id * 8 + 3), ...inner, varint(id * 8 + 4)])),
    ),
  };
});

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

test('protobufjs reads what we write', () => {
  fc.assert(
    fc.property(chunks, (chunk) => {
      expect(requestDeserialize(encodeChunk(chunk))).toMatchObject({ part: 'chunk', chunk });
    }),
  );
});

test('we read what protobufjs writes, and what we write', () => {
  fc.assert(
    fc.property(chunks, (chunk) => {
      expect(decode(requestSerialize({ chunk }))).toEqual({ chunk });
      expect(decode(encodeChunk(chunk))).toEqual({ chunk });
    }),
  );
});

test('fields may come in any order, repeated, and between unknown ones, as protobufjs reads them', () => {
  const parts = fc.array(
    fc.oneof(
      unknownField,
      fc.nat().map((value) => {
        const bytes = Buffer.alloc(5, 0x0d);
        bytes.writeUInt32LE(value, 1);
        return bytes;
      }),
      fc.uint8Array({ maxLength: 9 }).map((data) => Buffer.concat([Buffer.from([0x12, data.length]), data])),
    ),
    { maxLength: 6 },
  );
  const chunk = parts.map((inner) =>
    Buffer.concat([Buffer.from([0x12]), varint(Buffer.concat(inner).length), ...inner]),
  );
  const unknown = fc.array(unknownField, { maxLength: 2 });
  const messages = fc.tuple(unknown, chunk, unknown).map((fields) => Buffer.concat(fields.flat()));
  fc.assert(
    fc.property(messages, (bytes) => {
      const { offset, data } = requestDeserialize(bytes).chunk;
      expect(decode(bytes)).toEqual({ chunk: { offset, data: data ?? Buffer.alloc(0) } });
    }),
  );
});

test('a header goes to the general decoder, and of header and chunk in one message the last counts', () => {
  const header = requestSerialize({ header: { step: 7, tokens: [1, 2], weight: 0.5 } });
  const chunk = requestSerialize({ chunk: { offset: 3, data: Buffer.from([1, 2, 3, 4]) } });
  expect(decode(header)).toMatchObject({ header: { step: 7, tokens: [1, 2], weight: 0.5 } });
  expect(decode(Buffer.concat([chunk, header]))).toMatchObject({ header: { step: 7 } });
  expect(decode(Buffer.concat([header, chunk]))).toMatchObject({ chunk: { offset: 3 } });
});

test('a chunk in two parts is one chunk, as the protobuf specification has it', () => {
  const offset = Buffer.from([0x12, 0x05, 0x0d, 3, 0, 0, 0]);
  const data = Buffer.from([0x12, 0x06, 0x12, 4, 1, 2, 3, 4]);
  expect(decode(Buffer.concat([offset, data]))).toEqual({
    chunk: { offset: 3, data: Buffer.from([1, 2, 3, 4]) },
  });
});

test('any bytes are a message or an INVALID_ARGUMENT, never anything else', () => {
  const cut = fc.tuple(chunks, fc.nat()).map(([chunk, at]) => {
    const whole = requestSerialize({ chunk });
    return whole.subarray(0, at % whole.length);
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), cut), (bytes) => {
      try {
        decodeChunkMessage(bytes, () => 'header');
      } catch (error) {
        expect(error).toBeInstanceOf(TributaryError);
        expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
      }
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['an empty message', [], 'neither a header nor a chunk'],
  ['a cut length', [0x12, 0x05, 0x0d], 'it ends in the middle of a field'],
  ['an endless varint', new Array(11).fill(0xff), 'more than 10 bytes'],
  ['a length of 4 GiB', [0x12, 0xff, 0xff, 0xff, 0xff, 0x0f], 'it ends in the middle of a field'],
  ['an unknown wire type', [0x1f], 'field 3 has the wire type 7'],
  ['the field number 0', [0x00, 0x00], 'a field has the number 0'],
  ['a group that another ends', [0x1b, 0x24], 'field 3 is a group that does not end'],
])('%s is refused with its reason', (_, bytes, reason) => {
  expect(() => decode(Buffer.from(bytes))).toThrow(reason);
});

test('payloads are views of the message, and ours lie so that float32 can be read in place behind the 5 bytes of gRPC', () => {
  const data = new Uint8Array(8).fill(7);
  const encoded = encodeChunk({ offset: 1, data });
  const framed = Buffer.concat([Buffer.alloc(5), encoded]);
  const message = decode(framed.subarray(5));
  if (!('chunk' in message)) throw new Error('no chunk');
  expect(message.chunk.data.buffer).toBe(framed.buffer);
  expect((message.chunk.data.byteOffset - framed.byteOffset) % 4).toBe(0);
});

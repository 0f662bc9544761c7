/**
 * A client that has the .proto file and gRPC, and nothing of this project: what somebody writes in another language. Run as a process of its own:
 *
 *   node bareClient.ts PROTO ADDRESS JOB_HASH LENGTH
 *
 * Pulls step 0, pushes the gradient 1, 2, 3, … for rank 0 as two chunks, pulls step 1, and prints what it got as one line of JSON.
 */
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

interface Call {
  write(message: unknown): void;
  end(): void;
  on(event: string, listener: (value: never) => void): Call;
}

interface Service {
  push(options: object, callback: (error: Error | null, reply: unknown) => void): Call;
  pull(request: unknown, options: object): Call;
  close(): void;
}

const [proto, address, jobHash, lengthText] = process.argv.slice(2);
const length = Number(lengthText);
const loaded = loadPackageDefinition(
  loadSync(proto, { keepCase: true, enums: String, oneofs: true }),
) as unknown as {
  tributary: { v1: { ParameterServer: new (address: string, credentials: unknown) => Service } };
};
const service = new loaded.tributary.v1.ParameterServer(address, credentials.createInsecure());
const target = { job_hash: jobHash, generation: 1, shard: 0 };
const deadline = () => ({ deadline: Date.now() + 20_000 });

function pull(step: number) {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.alloc(length * 4);
    let header: unknown;
    service
      .pull({ target, step, wait_ms: 10_000 }, deadline())
      .on('data', (message: { part: string; header: unknown; chunk: { offset: number; data: Buffer } }) => {
        if (message.part === 'header') header = message.header;
        else message.chunk.data.copy(bytes, message.chunk.offset * 4);
      })
      .on('error', reject)
      .on('end', () =>
        resolve({ header, values: Array.from({ length }, (_, index) => bytes.readFloatLE(index * 4)) }),
      );
  });
}

function push() {
  return new Promise((resolve, reject) => {
    const call = service.push(deadline(), (error, reply) =>
      error === null ? resolve(reply) : reject(error),
    );
    call.write({ header: { target, rank_begin: 0, rank_end: 1, step: 0, tokens: [1], weight: 2, loss: 3 } });
    const half = length >> 1;
    for (const [begin, end] of [
      [0, half],
      [half, length],
    ]) {
      const data = Buffer.alloc((end - begin) * 4);
      for (let index = begin; index < end; index++) data.writeFloatLE(index + 1, (index - begin) * 4);
      call.write({ chunk: { offset: begin, data } });
    }
    call.end();
  });
}

const before = await pull(0);
const reply = await push();
const after = await pull(1);
service.close();
console.log(JSON.stringify({ before, reply, after }));

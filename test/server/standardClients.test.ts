import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Client, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { expect, onTestFinished, test } from 'vitest';
import { TestCluster, testSpec } from './testCluster.ts';

const protoFile = fileURLToPath(import.meta.resolve('@tributary/proto/tributary/v1/parameter_server.proto'));
/** Resolves as the server does: the standard services' .proto files are its dependencies. */
const { resolve } = createRequire(import.meta.resolve('@tributary/server/ServerProcess.ts'));

type Constructor = new (
  address: string,
  credentials: unknown,
) => Client & Record<string, (...args: unknown[]) => unknown>;

function standardClient(file: string, path: string[], address: string) {
  let found = loadPackageDefinition(loadSync(file, { enums: String, keepCase: true })) as unknown as Record<
    string,
    unknown
  >;
  for (const name of path) found = found[name] as Record<string, unknown>;
  const client = new (found as unknown as Constructor)(address, credentials.createInsecure());
  onTestFinished(() => client.close());
  return client;
}

test('a client with nothing but the .proto file pulls and pushes', async () => {
  const length = 1000;
  const layout = { tensors: [{ name: 'w', shape: [length], offset: 0, length }], length };
  const initial = Float32Array.from({ length }, (_, index) => index / 8);
  const cluster = await TestCluster.start(testSpec({ ranks: 1, layout }), 1, { initial });
  const script = fileURLToPath(new URL('bareClient.ts', import.meta.url));
  const run = await promisify(execFile)(process.execPath, [
    script,
    protoFile,
    cluster.servers[0].address,
    cluster.hash,
    String(length),
  ]);
  const { before, reply, after } = JSON.parse(run.stdout);
  expect(before).toMatchObject({
    header: { ready: true, end_step: 100, length },
    values: Array.from(initial),
  });
  expect(reply).toMatchObject({ outcome: 'APPLIED', clock: 1, end_step: 100 });
  // The mean over 2 examples, times the learning rate 0.5.
  const expected = Array.from(initial, (value, index) => value - (index + 1) / 4);
  expect(after).toMatchObject({ header: { ready: true, version: 1, clock: 1 }, values: expected });
});

test('the health service says SERVING once shards are loaded', async () => {
  const cluster = await TestCluster.start(testSpec(), 1);
  const file = resolve('grpc-health-check').replace(/build.*/, 'proto/health/v1/health.proto');
  const idle = await cluster.startServer();
  const check = (address: string, service: string) =>
    new Promise((done, fail) => {
      const client = standardClient(file, ['grpc', 'health', 'v1', 'Health'], address);
      client.check({ service }, { deadline: Date.now() + 20_000 }, (error: unknown, reply: unknown) =>
        error ? fail(error) : done(reply),
      );
    });
  for (const service of ['', 'tributary.v1.ParameterServer']) {
    expect(await check(cluster.servers[0].address, service)).toEqual({ status: 'SERVING' });
    expect(await check(idle.address, service)).toEqual({ status: 'NOT_SERVING' });
  }
});

test('reflection tells the contract', async () => {
  const cluster = await TestCluster.start(testSpec(), 1);
  const file = resolve('@grpc/reflection').replace(
    /build.*/,
    'build/proto/grpc/reflection/v1/reflection.proto',
  );
  const client = standardClient(
    file,
    ['grpc', 'reflection', 'v1', 'ServerReflection'],
    cluster.servers[0].address,
  );
  const ask = (request: object) =>
    new Promise<{
      list_services_response: unknown;
      file_descriptor_response: { file_descriptor_proto: Buffer[] };
    }>((done, fail) => {
      const call = client.ServerReflectionInfo({
        deadline: Date.now() + 20_000,
      }) as NodeJS.ReadWriteStream & { end(): void };
      call.on('data', done).on('error', fail);
      call.write(request as never);
      call.end();
    });
  expect((await ask({ list_services: '' })).list_services_response).toMatchObject({
    service: expect.arrayContaining([{ name: 'tributary.v1.ParameterServer' }]),
  });
  const { file_descriptor_response: found } = await ask({
    file_containing_symbol: 'tributary.v1.ParameterServer',
  });
  expect(Buffer.concat(found.file_descriptor_proto).toString('latin1')).toContain('PushHeader');
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gradientOf, sameBits, TestCluster, testSpec } from '../server/testCluster.ts';
import { compileCpp } from '../support/compileCpp.ts';
import { pythonWithGrpc } from '../support/pythonWithGrpc.ts';

const proto = 'tributary/v1/parameter_server.proto';
const protoFolder = fileURLToPath(import.meta.resolve(`@tributary/proto/${proto}`)).slice(0, -proto.length);
const transports = ['fast', 'grpc'] as const;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-clients-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a Python client', () => {
  let python: string;
  beforeAll(async () => {
    python = await pythonWithGrpc();
  }, 300_000);

  test.each(transports)('pulls from and pushes to a %s server, bit for bit', async (transport) => {
    const found = await exchange(transport, (address, jobHash) => {
      const target = { job_hash: jobHash, generation: 1, shard: 0 };
      const given = { address, target, folder, protoFolder, proto };
      return { command: [python, join(import.meta.dirname, 'client.py')], input: JSON.stringify(given) };
    });
    expect(found.unknown[0]).toBe('UNIMPLEMENTED');
    if (transport === 'grpc') return;
    expect(found.malformed).toEqual(['INVALID_ARGUMENT', expect.stringContaining('protobuf')]);
    expect(found.compressed).toEqual(['UNIMPLEMENTED', expect.stringContaining('compressed')]);
  });
});

describe('a C++ client', () => {
  let program: string;
  beforeAll(async () => {
    program = await compileCpp(join(import.meta.dirname, 'client.cc'), protoFolder, proto, folder);
  }, 300_000);

  test.each(transports)('pulls from and pushes to a %s server, bit for bit', async (transport) => {
    const found = await exchange(transport, (address, jobHash) => ({
      command: [program, address, jobHash, folder],
      input: '',
    }));
    expect(found.otherJob).toEqual([9, expect.stringContaining('job')]);
  });
});

/** Has a client pull, push and pull again, and checks what every client has to find; returns what it printed. */
async function exchange(
  transport: (typeof transports)[number],
  prepare: (address: string, jobHash: string) => { command: string[]; input: string },
) {
  const length = 1_500_001;
  const layout = { tensors: [{ name: 'w', shape: [length], offset: 0, length }], length };
  const initial = Float32Array.from({ length }, (_, index) => Math.sin(index));
  const cluster = await TestCluster.start(testSpec({ ranks: 1, layout }), 1, { initial, transport });
  const gradient = gradientOf(0, 0, length);
  writeFileSync(join(folder, 'gradient.bin'), new Uint8Array(gradient.buffer));

  const { command, input } = prepare(cluster.servers[0].address, cluster.hash);
  const child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(input);
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  expect(code).toBe(0);
  const floats = (name: string) =>
    new Float32Array(Uint8Array.from(readFileSync(join(folder, `${name}.bin`))).buffer);
  expect(sameBits(floats('before'), initial)).toBe(true);
  const expected = initial.map((value, index) => value - 0.5 * Math.fround(gradient[index] / 2));
  expect(sameBits(floats('after'), expected)).toBe(true);
  const found = JSON.parse(output);
  expect(found).toMatchObject({ outcome: 1, versions: [0, 1], clocks: [1] });
  return found;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { gradientOf, sameBits, TestCluster, testSpec } from '../server/testCluster.ts';
import { pythonWithGrpc } from '../support/pythonWithGrpc.ts';

const proto = fileURLToPath(import.meta.resolve('@tributary/proto/tributary/v1/parameter_server.proto'));
let python: string;
beforeAll(async () => {
  python = await pythonWithGrpc();
}, 300_000);

test.each(['fast', 'grpc'] as const)(
  'a Python client pulls from and pushes to a %s server, bit for bit',
  async (transport) => {
    const length = 1_500_001;
    const layout = { tensors: [{ name: 'w', shape: [length], offset: 0, length }], length };
    const initial = Float32Array.from({ length }, (_, index) => Math.sin(index));
    const cluster = await TestCluster.start(testSpec({ ranks: 1, layout }), 1, { initial, transport });
    const gradient = gradientOf(0, 0, length);

    const child = spawn(python, [join(import.meta.dirname, 'pythonClient.py')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.end(
      JSON.stringify({
        address: cluster.servers[0].address,
        target: { job_hash: cluster.hash, generation: 1, shard: 0 },
        gradient: Buffer.from(gradient.buffer).toString('base64'),
        folder: dirname(proto),
        proto,
      }),
    );
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(code).toBe(0);
    const found = JSON.parse(output);
    const floats = (base64: string) =>
      new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
    expect(sameBits(floats(found.before), initial)).toBe(true);
    const expected = initial.map((value, index) => value - 0.5 * Math.fround(gradient[index] / 2));
    expect(sameBits(floats(found.after), expected)).toBe(true);
    expect(found).toMatchObject({ outcome: 1, versions: [0, 1], clocks: [1] });
    expect(found.unknown[0]).toBe('UNIMPLEMENTED');
    if (transport === 'grpc') return;
    expect(found.malformed).toEqual(['INVALID_ARGUMENT', expect.stringContaining('protobuf')]);
    expect(found.compressed).toEqual(['UNIMPLEMENTED', expect.stringContaining('compressed')]);
  },
);

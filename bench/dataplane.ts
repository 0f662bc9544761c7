/**
 * `pnpm bench dataplane [--sizes 10000,250000] [--rounds 5] [--optimizer adam] [--only WORD]`: one worker and one server process push N float32 gradients, update and
 * pull N parameters, over every transport, as float32 and as bf16, beside raw sockets and raw node:http2 that do the same work. All take turns in one run, so that ratios hold on a
 * busy machine, too. The last line is JSON.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  bytesOfStep,
  type RoleOptions,
  type RunResult,
  type Variant,
  variants,
} from './dataplane/variants.ts';

const { values: flags } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,250000,1000000,10000000,50000000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '0.7' },
    optimizer: { type: 'string', default: 'adam' },
    only: { type: 'string', default: '' },
  },
});
const sizes = flags.sizes.split(',').map(Number);
const rounds = Number(flags.rounds);
const roleFile = join(import.meta.dirname, 'dataplane/role.ts');

interface Pair {
  readonly variant: Variant;
  readonly server: ChildProcess;
  readonly client: ChildProcess;
  readonly results: RunResult[];
}

const chosen = variants.filter(({ label }) => label.includes(flags.only));
const report = [];
for (const length of sizes) {
  const pairs = await Promise.all(chosen.map((variant) => start(variant, length)));
  for (let round = 0; round <= rounds; round++) {
    for (const { client, results } of pairs) {
      const result = await ask(client, { seconds: round === 0 ? 0.2 : Number(flags.seconds) });
      if (round > 0) results.push(result);
    }
  }
  console.log(
    `\n${length} float32 (${(length * 4) / 1e6} MB), ${flags.optimizer}, median of ${rounds} rounds`,
  );
  console.log(`${''.padEnd(30)}ms/step       MB/s   CPU s/GB   server RSS MB`);
  for (const { variant, results, server, client } of pairs) {
    const { label, encoding } = variant;
    const ms = median(results.map((result) => result.ms));
    const cpu = median(results.map((result) => result.cpuSecondsPerGb));
    const row = {
      length,
      label,
      ms,
      mbPerSecond: bytesOfStep({ length, encoding }) / ms / 1e3,
      cpuSecondsPerGb: cpu,
    };
    const rssMb = results.at(-1)!.serverRssMb;
    report.push({ ...row, rssMb });
    console.log(
      `${label.padEnd(28)}${ms.toFixed(3).padStart(9)}${row.mbPerSecond.toFixed(0).padStart(11)}${cpu.toFixed(2).padStart(11)}${rssMb.toFixed(0).padStart(16)}`,
    );
    for (const child of [client, server]) child.kill();
  }
}
console.log(
  JSON.stringify({ bench: 'dataplane', optimizer: flags.optimizer, rounds, rows: report }, threeDecimals),
);

async function start(variant: Variant, length: number): Promise<Pair> {
  const options = { ...variant, length, optimizer: flags.optimizer };
  const server = spawnRole({ ...options, role: 'server', address: '' });
  const address = await reply<string>(server);
  const client = spawnRole({ ...options, role: 'client', address });
  await reply(client);
  // A client asks its server for figures through us.
  client.on('message', (message: { usage?: true }) => {
    if (message.usage) server.send({ usage: true });
  });
  server.on('message', (message) => client.send(message as object));
  return { variant, server, client, results: [] };
}

function spawnRole(options: RoleOptions): ChildProcess {
  // As the launcher starts its processes.
  const cache = join(tmpdir(), 'node-compile-cache');
  const env = { ...process.env, GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1', NODE_COMPILE_CACHE: cache };
  const flags = ['--external-memory-accounted-in-global-limit', '--initial-heap-size=128'];
  return fork(roleFile, [JSON.stringify(options)], { execArgv: flags, env });
}

function reply<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Message));
    child.once('exit', (code) => reject(new Error(`a process of the bench ended with ${code}`)));
  });
}

function ask(client: ChildProcess, run: { seconds: number }): Promise<RunResult> {
  return new Promise((resolve) => {
    const onMessage = (message: { result?: RunResult }) => {
      if (message.result === undefined) return;
      client.off('message', onMessage);
      resolve(message.result);
    };
    client.on('message', onMessage);
    client.send(run);
  });
}

function threeDecimals(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toFixed(3)) : value;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

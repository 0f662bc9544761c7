/**
 * `pnpm bench scale [--workers 1,2,4,8,16,32,64] [--servers 1,2,4] [--compute-ms 50] [--length 100000] [--staleness 0] [--seconds 3]`: many workers, each of which sleeps
 * in place of computing and then pushes a gradient and pulls parameters, against servers that each hold a shard. Asynchronous unless --staleness is given. Servers
 * are processes; workers share two processes, since this machine has to run them all. The last line is JSON.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ScaleJob, ScaleRole, WorkersResult } from './scale/role.ts';

const { values: flags } = parseArgs({
  options: {
    workers: { type: 'string', default: '1,2,4,8,16,32,64' },
    servers: { type: 'string', default: '1,2,4' },
    'compute-ms': { type: 'string', default: '50' },
    length: { type: 'string', default: '100000' },
    optimizer: { type: 'string', default: 'adam' },
    staleness: { type: 'string', default: 'infinity' },
    seconds: { type: 'string', default: '3' },
  },
});
const computeMs = Number(flags['compute-ms']);
const length = Number(flags.length);
const seconds = Number(flags.seconds);
const staleness = flags.staleness === 'infinity' ? null : Number(flags.staleness);
const workerProcesses = 2;
const numbers = (text: string) => text.split(',').map(Number);

console.log(
  `${length} float32, ${flags.optimizer}, ${computeMs} ms of sleep for a gradient, staleness ${flags.staleness}`,
);
console.log(
  'servers  workers   updates/s   of ideal   push-pull p50   p99 ms   a server, CPU   ms/update   workers, CPU   fairness',
);
const rows = [];
for (const servers of numbers(flags.servers)) {
  for (const workers of numbers(flags.workers)) {
    const row = await measure({ length, optimizer: flags.optimizer, workers, servers, staleness });
    rows.push(row);
    const columns: [string, number][] = [
      [String(servers), 7],
      [String(workers), 9],
      [row.updatesPerSecond.toFixed(0), 12],
      [`${(100 * row.ofIdeal).toFixed(0)} %`, 11],
      [row.p50Ms.toFixed(2), 16],
      [row.p99Ms.toFixed(2), 9],
      [`${(100 * row.serverCpu).toFixed(0)} %`, 16],
      [row.serverMsPerUpdate.toFixed(2), 12],
      [`${(100 * row.workersCpu).toFixed(0)} %`, 15],
      [row.fairness.toFixed(3), 11],
    ];
    console.log(columns.map(([text, width]) => text.padStart(width)).join(''));
  }
}
const config = { length, optimizer: flags.optimizer, computeMs, staleness, seconds };
console.log(JSON.stringify({ bench: 'scale', ...config, rows }, threeDecimals));

async function measure(job: ScaleJob) {
  const children: ChildProcess[] = [];
  const start = (role: ScaleRole) => {
    const child = fork(join(import.meta.dirname, 'scale/role.ts'), [JSON.stringify(role)]);
    children.push(child);
    return child;
  };
  try {
    const servers = Array.from({ length: job.servers }, (_, index) => start({ job, role: 'server', index }));
    const addresses = (await Promise.all(servers.map((server) => reply<{ address: string }>(server)))).map(
      ({ address }) => address,
    );
    const ranks = Array.from({ length: job.workers }, (_, rank) => rank);
    const groups = Array.from({ length: Math.min(workerProcesses, job.workers) }, (_, group) =>
      ranks.filter((rank) => rank % workerProcesses === group),
    );
    const workers = groups.map((group) =>
      start({ job, role: 'workers', addresses, ranks: group, computeMs }),
    );
    await Promise.all(workers.map((child) => reply(child)));
    const before = await Promise.all(servers.map(cpuOf));
    const results = await Promise.all(workers.map((child) => ask<WorkersResult>(child, { seconds })));
    const after = await Promise.all(servers.map(cpuOf));
    return summary(job, results, Math.max(...after.map((cpu, index) => cpu - before[index])));
  } finally {
    for (const child of children) {
      child.removeAllListeners('exit');
      child.kill('SIGKILL');
    }
  }
}

function summary(job: ScaleJob, results: readonly WorkersResult[], busiestServerMs: number) {
  const byWorker = results.flatMap(({ ms }) => ms);
  const all = byWorker.flat().sort((a, b) => a - b);
  const counts = byWorker.map((ms) => ms.length);
  const sum = counts.reduce((total, count) => total + count, 0);
  const squares = counts.reduce((total, count) => total + count ** 2, 0);
  const cpuMs = results.reduce((total, result) => total + result.cpuMs, 0);
  return {
    servers: job.servers,
    workers: job.workers,
    updatesPerSecond: sum / seconds,
    /** Of what the workers would do if a push-pull took no time. */
    ofIdeal: (sum / seconds) * (computeMs / 1e3 / job.workers),
    p50Ms: all[Math.floor(all.length * 0.5)] ?? Number.NaN,
    p99Ms: all[Math.floor(all.length * 0.99)] ?? Number.NaN,
    /** Of a core, by the busiest server; and the time that it takes for an update, which is the same on a busy machine. */
    serverCpu: busiestServerMs / seconds / 1e3,
    serverMsPerUpdate: busiestServerMs / sum,
    workersCpu: cpuMs / seconds / 1e3,
    /** Jain's index over the workers' updates: 1 if all have as many, 1/n if one has all. */
    fairness: sum ** 2 / (job.workers * squares),
  };
}

async function cpuOf(server: ChildProcess): Promise<number> {
  return (await ask<{ cpuMs: number }>(server, {})).cpuMs;
}

function ask<Reply>(child: ChildProcess, message: object): Promise<Reply> {
  const answer = reply<Reply>(child);
  child.send(message);
  return answer;
}

function reply<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Message));
    child.once('exit', (code) => reject(new Error(`a process of the bench ended with ${code}`)));
  });
}

function threeDecimals(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toFixed(3)) : value;
}

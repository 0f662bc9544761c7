/** One process of `pnpm bench dataplane`: a server, or a client that measures. */
import * as http2 from './rawHttp2.ts';
import * as sockets from './rawSockets.ts';
import * as tributary from './tributary.ts';
import { bytesOfStep, type RoleOptions, type RunResult } from './variants.ts';

const options = JSON.parse(process.argv[2]) as RoleOptions;
const { serve, connect } = { tributary, sockets, http2 }[options.kind];

interface Usage {
  readonly cpuMs: number;
  readonly rssMb: number;
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1e3, rssMb: process.memoryUsage().rss / 1e6 };
}

if (options.role === 'server') {
  process.send!(await serve(options));
  process.on('message', () => process.send!({ usage: usage() }));
} else {
  const { length } = options;
  const pushPull = await connect(options);
  const gradient = shared(length).fill(1e-3);
  const parameters = shared(length);
  let step = 0;
  process.send!('connected');
  process.on('message', (message: { seconds?: number }) => {
    if (message.seconds !== undefined)
      void measure(message.seconds).then((result) => process.send!({ result }));
  });

  async function measure(seconds: number): Promise<RunResult> {
    const before = [await serverUsage(), usage()];
    const ms: number[] = [];
    const end = performance.now() + seconds * 1e3;
    while (performance.now() < end || ms.length < 3) {
      const begin = performance.now();
      await pushPull(gradient, parameters, step++);
      ms.push(performance.now() - begin);
    }
    const after = [await serverUsage(), usage()];
    const cpuMs = after.reduce((sum, { cpuMs }, index) => sum + cpuMs - before[index].cpuMs, 0);
    const gigabytes = (ms.length * bytesOfStep(options)) / 1e9;
    return {
      ms: ms.sort((a, b) => a - b)[ms.length >> 1],
      cpuSecondsPerGb: cpuMs / 1e3 / gigabytes,
      serverRssMb: after[0].rssMb,
    };
  }
}

function serverUsage(): Promise<Usage> {
  return new Promise((resolve) => {
    const onMessage = (message: { usage?: Usage }) => {
      if (message.usage === undefined) return;
      process.off('message', onMessage);
      resolve(message.usage);
    };
    process.on('message', onMessage);
    process.send!({ usage: true });
  });
}

/** As a worker has them: shared with the thread that computes. */
function shared(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * 4));
}

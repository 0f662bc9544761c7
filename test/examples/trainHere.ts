import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { readAllMetrics } from '@tributary/coordinator/readAllMetrics.ts';
import { runController } from '@tributary/server/controller/Controller.ts';
import { startServer } from '@tributary/server/ServerProcess.ts';
import { modelParameters } from '@tributary/worker/parameters/loadParameters.ts';
import { runWorker } from '@tributary/worker/training/WorkerProcess.ts';
import type { OverrideFlags } from '../../packages/cli/src/commands/flags.ts';
import { type PreparedJob, prepareJob } from '../../packages/cli/src/parameters/prepareJob.ts';
import { RunProgress } from '../../packages/cli/src/progress/RunProgress.ts';

export interface TrainedHere {
  readonly prepared: PreparedJob;
  /** The model's parameters at the end. */
  readonly flat: Float32Array;
  readonly steps: number;
  /** At the end, from all metrics. */
  readonly progress: RunProgress;
}

/**
 * Trains a job by a controller, a server and a worker that are all in this process: real sockets and a real coordinator, but nothing has to be started, which for a few steps is
 * nearly all of the time. Tests that train very often put ComputeHere in the place of the thread that computes.
 */
export async function trainHere(path: string, overrides: OverrideFlags): Promise<TrainedHere> {
  const prepared = await prepareJob(path, overrides);
  const folder = await mkdtemp(join(tmpdir(), 'tributary-test-'));
  const coordinator = await openCoordinator(`sqlite:${join(folder, 'job.sqlite')}`, 'here');
  const leave = new AbortController();
  const common = { coordinator, leaseMs: 60_000, transport: 'auto', log: () => {} } as const;
  const server = await startServer({ ...common, memberId: 'server', bind: '127.0.0.1:0' });
  const worker = runWorker({
    ...{ ...common, memberId: 'worker', stop: leave.signal, jobFile: prepared.file },
    ...{ compute: 'auto', computeThreads: 1, selfCheck: false },
  });
  try {
    const controlled = runController({
      ...{ ...common, memberId: 'controller', stop: leave.signal },
      ...{ spec: prepared.spec, start: 'new', servers: 1, workers: 1 },
      initialParameters: async () => (await prepared.begin()).parameters,
    });
    // A worker that cannot take part ends the training.
    const { state, error, checkpoint } = await Promise.race([controlled, worker.then(() => controlled)]);
    if (state !== 'finished') throw new Error(`the job is ${state}: ${error}`);
    await worker;
    // It has the last of its metrics yet to write.
    await server.stop();
    const progress = new RunProgress(prepared.spec);
    await readAllMetrics(coordinator, '', (entry) => progress.add(entry));
    const { flat } = await modelParameters(coordinator, checkpoint);
    return { prepared, flat, steps: checkpoint.step, progress };
  } finally {
    leave.abort();
    await worker.catch(() => {});
    await server.stop();
    await coordinator.close();
    await rm(folder, { recursive: true });
  }
}

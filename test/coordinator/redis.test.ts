import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { coordinatorLaws } from '../laws/coordinator.laws.ts';
import { exampleRecord, uniqueJobName } from '../support/exampleJob.ts';
import { RedisProcess } from '../support/RedisProcess.ts';

coordinatorLaws('redis', (job) => openCoordinator(inject('redisUrl'), job));

/** A node with all slots of a Redis Cluster refuses commands whose keys lie in several slots. */
describe('on a Redis Cluster', () => {
  let node: RedisProcess;

  beforeAll(async () => {
    node = await RedisProcess.start(['--cluster-enabled', 'yes']);
    const client = new Redis(node.url);
    await client.cluster('ADDSLOTSRANGE', 0, 16383);
    await vi.waitFor(async () => expect(await client.cluster('INFO')).toContain('cluster_state:ok'), {
      timeout: 20_000,
    });
    await client.quit();
  });
  afterAll(() => node.stop());

  coordinatorLaws('redis cluster', (job) => openCoordinator(node.url, job));

  test('all keys carry the tag of their job, except the list of jobs', async () => {
    const client = new Redis(node.url);
    await client.flushall();
    const job = uniqueJobName();
    const coordinator = await openCoordinator(node.url, job);
    const fence = (await coordinator.acquireLease('controller', 'a', 60_000))!;
    const startedAtMs = 0;
    await coordinator.join({ id: 'a', role: 'controller', address: '', startedAtMs }, 60_000);
    await coordinator.createJob(exampleRecord());
    const placement = { epoch: 1, generation: 1, checkpoint: 'c', shards: [], ranks: [] };
    await coordinator.replacePlacement(placement, 0, fence);
    const event = { kind: 'event', level: 'info', source: 'a', message: '', timeMs: 0 } as const;
    await coordinator.appendMetrics([event], { writer: 'a', sequence: 1 });
    await coordinator.checkpoints.putChunk('c', 0, new Uint8Array(1));
    const manifest = { id: 'c', jobHash: '', step: 0, createdAtMs: 0, bytes: 0, chunks: [], shards: [] };
    await coordinator.checkpoints.commit(manifest, fence);
    const tag = `tributary:{${encodeURIComponent(job)}}:`;
    const keys = (await client.keys('*')).map((key) => key.replace(tag, '<tag>'));
    expect(keys.sort()).toEqual([
      '<tag>checkpoints',
      '<tag>checkpoints:begun',
      '<tag>chunks:c',
      '<tag>job',
      '<tag>leases',
      '<tag>members',
      '<tag>metrics',
      '<tag>metrics:writers',
      '<tag>placement',
      '<tag>token',
      'tributary:jobs',
    ]);
    await coordinator.close();
    await client.quit();
  });
});

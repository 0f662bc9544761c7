import type { MetricBatch, MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { MetricsQueue } from '@tributary/coordinator/MetricsQueue.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { expect, onTestFinished, test } from 'vitest';
import { uniqueJobName } from '../support/exampleJob.ts';
import { ManualSchedule } from '../support/ManualSchedule.ts';
import { RedisProcess } from '../support/RedisProcess.ts';

/** Takes batches as a backend does; can be away, or lose its reply after it wrote. */
class FakeStream {
  mode: 'works' | 'away' | 'loses its reply' = 'works';
  written: number[] = [];
  batchSizes: number[] = [];
  #sequences = new Map<string, number>();

  async appendMetrics(entries: readonly MetricEntry[], batch?: MetricBatch): Promise<void> {
    const { writer, sequence } = batch!;
    if (this.mode !== 'away' && sequence > (this.#sequences.get(writer) ?? 0)) {
      this.#sequences.set(writer, sequence);
      this.batchSizes.push(entries.length);
      this.written.push(...entries.map((entry) => entry.timeMs));
    }
    if (this.mode !== 'works') throw new TributaryError('UNAVAILABLE', 'away');
  }
}

function setUp() {
  const stream = new FakeStream();
  const timers = new ManualSchedule();
  const queue = new MetricsQueue(stream, { schedule: timers.schedule });
  const append = (from: number, to: number) => {
    for (let i = from; i < to; i++)
      queue.append({ kind: 'event', level: 'info', source: '', message: '', timeMs: i });
  };
  return { stream, timers, queue, append };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test('entries are written together, after the flush time and not before', async () => {
  const { stream, timers, append } = setUp();
  append(0, 3);
  expect(timers.delaysMs).toEqual([limits.metricsFlushMs]);
  expect(stream.written).toEqual([]);
  await timers.fire();
  expect(stream.batchSizes).toEqual([3]);
  expect(timers.delaysMs).toEqual([]);
  append(3, 4);
  await timers.fire();
  expect(stream.written).toEqual([0, 1, 2, 3]);
});

test('a long backlog goes in batches, in order', async () => {
  const { stream, timers, append } = setUp();
  append(0, 2 * limits.metricsBatchMax + 1);
  await timers.fire();
  expect(stream.batchSizes).toEqual([limits.metricsBatchMax, limits.metricsBatchMax, 1]);
  expect(stream.written).toEqual(numbers(0, 2 * limits.metricsBatchMax + 1));
});

test('while the coordinator is away entries are kept, and written once in order when it is back', async () => {
  const { stream, timers, queue, append } = setUp();
  stream.mode = 'away';
  append(0, 2);
  await timers.fire();
  append(2, 4);
  await timers.fire();
  expect(stream.written).toEqual([]);
  stream.mode = 'works';
  await timers.fire();
  expect(stream.written).toEqual([0, 1, 2, 3]);
  expect(queue.dropped).toBe(0);
});

test('a batch whose reply was lost is not written twice', async () => {
  const { stream, timers, append } = setUp();
  stream.mode = 'loses its reply';
  append(0, 2);
  await timers.fire();
  append(2, 4);
  await timers.fire();
  stream.mode = 'works';
  await timers.fire();
  expect(stream.written).toEqual([0, 1, 2, 3]);
});

test('beyond the bound the oldest are dropped and counted', async () => {
  const { stream, timers, queue, append } = setUp();
  stream.mode = 'away';
  append(0, limits.metricsQueueMax + 5);
  expect(queue.dropped).toBe(5);
  stream.mode = 'works';
  await timers.fire();
  await queue.flush();
  expect(stream.written).toEqual(numbers(5, limits.metricsQueueMax + 5));
});

test('closing writes what waits', async () => {
  const { stream, timers, queue, append } = setUp();
  append(0, 3);
  await queue.close();
  expect(stream.written).toEqual([0, 1, 2]);
  expect(timers.delaysMs).toEqual([]);
  expect(queue.dropped).toBe(0);
});

test('closing while the coordinator is away ends, and counts what is lost', async () => {
  const { stream, timers, queue, append } = setUp();
  stream.mode = 'away';
  append(0, 3);
  await timers.fire();
  append(3, 5);
  await queue.close();
  append(5, 6);
  expect(queue.dropped).toBe(6);
  expect(timers.delaysMs).toEqual([]);
});

test('a Redis killed and started again in the middle loses and repeats nothing', async () => {
  const redis = await RedisProcess.start(['--appendonly', 'yes', '--appendfsync', 'always']);
  onTestFinished(() => redis.stop());
  const coordinator = await openCoordinator(redis.url, uniqueJobName());
  onTestFinished(() => coordinator.close());
  const queue = new MetricsQueue(coordinator);
  const append = (from: number, to: number) => {
    for (let step = from; step < to; step++) {
      queue.append({ kind: 'step', step, loss: 0, examples: 1, timeMs: 0, staleness: 0 });
    }
  };
  append(0, 500);
  // Some of it is under way when Redis dies.
  const flushing = queue.flush();
  await redis.kill();
  await flushing;
  append(500, 3000);
  await queue.flush();
  await redis.begin();
  await expect
    .poll(
      async () => (await coordinator.readMetrics('', 10_000).catch(() => ({ entries: [] }))).entries.length,
      {
        timeout: 20_000,
      },
    )
    .toBe(3000);
  await queue.close();
  const { entries } = await coordinator.readMetrics('', 10_000);
  expect(entries.map((entry) => entry.kind === 'step' && entry.step)).toEqual(numbers(0, 3000));
  expect(queue.dropped).toBe(0);
});

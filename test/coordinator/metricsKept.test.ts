import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { expect, inject, test, vi } from 'vitest';
import { uniqueJobName } from '../support/exampleJob.ts';

const kept = 500;
/** Redis trims its stream by whole nodes of 100 entries. */
const slack = 100;

vi.mock('@tributary/core/limits/limits.ts', async (original) => {
  const { limits } = await original<typeof import('@tributary/core/limits/limits.ts')>();
  return { limits: { ...limits, metricsKeptMax: 500 } };
});

test.each(['redis', 'sqlite'])(
  'the metrics stream at a %s coordinator keeps the newest entries',
  async (backend) => {
    const folder = await mkdtemp(join(tmpdir(), 'tributary-metrics-'));
    const url = backend === 'redis' ? inject('redisUrl') : `sqlite:${folder}/coordinator.sqlite`;
    const coordinator = await openCoordinator(url, uniqueJobName());
    const beginning = await append(0);
    for (let batch = 1; batch < 20; batch++) await append(batch);

    const { entries } = await coordinator.readMetrics('', 10_000);
    expect(entries.length).toBeGreaterThanOrEqual(kept);
    expect(entries.length).toBeLessThanOrEqual(kept + slack);
    expect(entries.at(-1)?.timeMs).toBe(1999);
    expect(entries.map(({ timeMs }) => timeMs)).toEqual(entries.map((_, i) => 2000 - entries.length + i));
    // A cursor into what is gone goes on with the oldest that is left.
    expect((await coordinator.readMetrics(beginning, 10_000)).entries).toEqual(entries);
    await coordinator.close();
    await rm(folder, { recursive: true });

    async function append(batch: number): Promise<string> {
      const numbers = Array.from({ length: 100 }, (_, i) => 100 * batch + i);
      await coordinator.appendMetrics(
        numbers.map((timeMs) => ({ kind: 'event', level: 'info', source: '', message: '', timeMs })),
      );
      return (await coordinator.readMetrics('', 10_000)).cursor;
    }
  },
);

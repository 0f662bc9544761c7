import { limits } from '@tributary/core/limits/limits.ts';
import type { Coordinator, MetricEntry } from './Coordinator.ts';

/** Hands on every entry after the cursor, oldest first, and returns the cursor of the last. */
export async function readAllMetrics(
  coordinator: Pick<Coordinator, 'readMetrics'>,
  after: string,
  onEntry: (entry: MetricEntry) => void,
): Promise<string> {
  for (;;) {
    const { entries, cursor } = await coordinator.readMetrics(after, limits.metricsReadMax);
    if (entries.length === 0) return after;
    for (const entry of entries) onEntry(entry);
    after = cursor;
  }
}

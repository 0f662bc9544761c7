import type { CheckpointManifest } from '../Coordinator.ts';

/** The order of CheckpointStore.list(): greatest step, then latest. Ids decide what is left, so that both backends agree. */
export function newestFirst(a: CheckpointManifest, b: CheckpointManifest): number {
  return b.step - a.step || b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1);
}

import { availableParallelism, cpus, totalmem } from 'node:os';
import { bytes } from '../progress/progressText.ts';

/** For people: what this runs on. */
export function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${availableParallelism()} x ${model}, ${bytes(totalmem())} of memory, Node ${process.versions.node}`;
}

import type { ScheduleSpec } from '@tributary/core/job/JobSpec.ts';

/** The learning rate as the optimizer has it, at every step. */
export function constant(): ScheduleSpec {
  return { name: 'constant', options: {} };
}

/** The next step at which a checkpoint is due: the next multiple of `everySteps` after `lastStep`, or the end; undefined once the end is saved. */
export function nextCheckpointStep(
  lastStep: number,
  everySteps: number,
  endStep: number,
): number | undefined {
  if (lastStep >= endStep) return undefined;
  if (everySteps === 0) return endStep;
  return Math.min(endStep, (Math.floor(lastStep / everySteps) + 1) * everySteps);
}

/** Runs `task` once after `delayMs`, unless the function returned is called first. Tests give one that they drive by hand. */
export type Schedule = (task: () => void, delayMs: number) => () => void;

export const schedule: Schedule = (task, delayMs) => {
  const timer = setTimeout(task, delayMs);
  return () => clearTimeout(timer);
};

import type { JobSpec } from '@tributary/core/job/JobSpec.ts';

/** What is known of a run at some moment. */
export interface Progress {
  readonly step: number;
  /** Where this run began: not 0 if it was resumed. */
  readonly firstStep: number;
  readonly endStep: number;
  readonly loss: number;
  /** Of the last evaluation; undefined before the first, or where the model has no accuracy. */
  readonly accuracy: number | undefined;
  readonly samplesPerSecond: number;
  /** Steps between the fastest and the slowest rank. */
  readonly staleness: number;
  /** Of the next update, where the job adapts it. */
  readonly batchExamples: number | undefined;
  readonly elapsedMs: number;
}

/** One line for a person who waits. */
export function progressText(progress: Progress, spec: JobSpec): string {
  const { step, endStep } = progress;
  const epoch = step / spec.stepsPerEpoch;
  const epochs = endStep / spec.stepsPerEpoch;
  const done = step - progress.firstStep;
  const leftMs = done <= 0 ? undefined : (progress.elapsedMs / done) * (endStep - step);
  const parts = [
    `step ${step}/${endStep}`,
    `epoch ${epoch.toFixed(1)}/${epochs.toFixed(epochs % 1 === 0 ? 0 : 1)}`,
    `loss ${number(progress.loss)}`,
    ...(progress.accuracy === undefined ? [] : [`accuracy ${percent(progress.accuracy)}`]),
    ...(progress.batchExamples === undefined ? [] : [`batch ${progress.batchExamples}`]),
    `${Math.round(progress.samplesPerSecond).toLocaleString('en-US')} samples/s`,
    `staleness ${progress.staleness}`,
    ...(leftMs === undefined ? [] : [`${duration(leftMs)} left`]),
  ];
  return parts.join('  ');
}

export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5 ? value.toFixed(4) : value.toExponential(3);
}

export function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(2)} %`;
}

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export function bytes(count: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${power === 0 || value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${units[power]}`;
}

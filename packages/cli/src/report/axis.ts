/** Where a chart's axis lies, and what stands at it. */
export interface Axis {
  readonly logarithmic: boolean;
  readonly ticks: readonly number[];
  /** The place of a value, from 0 at the beginning of the axis to 1 at its end; beyond these outside of it. */
  at(value: number): number;
}

/** From `least` to `most`; logarithmic only where both are above 0. */
export function createAxis(least: number, most: number, logarithmic: boolean): Axis {
  const log = logarithmic && least > 0;
  const from = log ? Math.log10(least) : least;
  const to = log ? Math.log10(most) : most;
  const length = to > from ? to - from : 1;
  return {
    logarithmic: log,
    ticks: log ? decades(least, most) : roundSteps(least, most),
    at: (value) => ((log ? Math.log10(value) : value) - from) / length,
  };
}

/** About five values 1, 2 or 5 times a power of ten apart. */
function roundSteps(least: number, most: number): number[] {
  if (!(most > least)) return [least];
  const rough = (most - least) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(least / step - 1e-9);
  const last = Math.floor(most / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

/** Powers of ten, and where these are few also 2 and 5 times as much; every second, third... where they are many. */
function decades(least: number, most: number): number[] {
  const first = Math.floor(Math.log10(least));
  const last = Math.ceil(Math.log10(most));
  const within = (value: number) => value >= least * 0.999 && value <= most * 1.001;
  const factors = last - first <= 2 ? [1, 2, 5] : [1];
  const every = Math.ceil((last - first) / 7);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    .filter((power) => (power - first) % every === 0)
    .flatMap((power) => factors.map((factor) => Number((factor * 10 ** power).toPrecision(6))))
    .filter(within);
}

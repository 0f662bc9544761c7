import { limits } from '@tributary/core/limits/limits.ts';

/** Units of a file (records, or blocks of rows) that lie side by side and are read at once. */
export interface Run {
  readonly first: number;
  readonly last: number;
  /** Which of the wanted units, by their places in the list, are in this run. */
  readonly places: readonly number[];
}

/** Reads under way at once: enough to keep a disk busy, few enough that their buffers do not count. */
const readsAtOnce = 16;

/**
 * Reads the wanted units of a file, each once, in the order in which they lie there; `position` says where a unit begins. Neighbours are read together, and what lies between
 * them too if it is little. Random minibatches of large examples become as many reads, a whole slice of the data one.
 */
export async function readRuns(
  wanted: Uint32Array,
  position: (unit: number) => number,
  read: (run: Run) => Promise<void>,
): Promise<void> {
  const runs = toRuns(wanted, position);
  for (let begin = 0; begin < runs.length; begin += readsAtOnce) {
    await Promise.all(runs.slice(begin, begin + readsAtOnce).map(read));
  }
}

function toRuns(wanted: Uint32Array, position: (unit: number) => number): Run[] {
  const order = Uint32Array.from(wanted.keys()).sort((a, b) => wanted[a] - wanted[b]);
  const joins = ({ first, last }: Run, unit: number): boolean =>
    position(unit) - position(last + 1) <= limits.dataGapBytes &&
    position(unit + 1) - position(first) <= limits.dataReadBytes;
  const runs: { first: number; last: number; places: number[] }[] = [];
  for (const place of order) {
    const unit = wanted[place];
    const run = runs.at(-1);
    if (run !== undefined && (unit === run.last || joins(run, unit))) {
      run.last = unit;
      run.places.push(place);
    } else {
      runs.push({ first: unit, last: unit, places: [place] });
    }
  }
  return runs;
}

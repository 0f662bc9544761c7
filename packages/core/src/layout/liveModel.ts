import type { Range } from '../partition/partition.ts';
import { createLayout, type Layout } from './Layout.ts';
import { withoutMethodState } from './methodState.ts';
import { liveRanges, segmentsOf, type Trained } from './segments.ts';

/** What of a model is not frozen for good, as a model of its own: that is what a method of the workers steps in. */
export interface LiveModel {
  /** Of its tensors, end to end. */
  readonly layout: Layout;
  /** Where they lie in the vector of the whole model: in order, and apart. */
  readonly ranges: readonly Range[];
  /** Elements of the whole model. */
  readonly wholeLength: number;
}

export function liveModel({ layout, tensors = [] }: Trained): LiveModel {
  const model = withoutMethodState(layout);
  const frozen = tensors.filter(({ frozenUntil }) => frozenUntil === null).map(({ name }) => name);
  const segments = segmentsOf({ layout: model, tensors }, { begin: 0, end: model.length });
  return {
    layout: createLayout(model.tensors.filter(({ name }) => !frozen.includes(name))),
    ranges: liveRanges(segments, Number.MAX_SAFE_INTEGER),
    wholeLength: model.length,
  };
}

type Floats = Float32Array | Float64Array;

/** Fills `live` with its elements of the whole vector. */
export function gatherLive({ ranges }: LiveModel, whole: Floats, live: Floats): void {
  let at = 0;
  for (const { begin, end } of ranges) {
    live.set(whole.subarray(begin, end), at);
    at += end - begin;
  }
}

/** Puts the elements of `live` where they belong in the whole vector, and leaves the others as they are. */
export function scatterLive({ ranges }: LiveModel, live: Floats, whole: Floats): void {
  let at = 0;
  for (const { begin, end } of ranges) {
    whole.set(live.subarray(at, at + end - begin), begin);
    at += end - begin;
  }
}

/** Where a range of the live elements lies in the whole vector: in order, and apart. */
export function placesOf({ ranges }: LiveModel, { begin, end }: Range): Range[] {
  let at = 0;
  return ranges.flatMap((range) => {
    const shift = range.begin - at;
    at += range.end - range.begin;
    const place = { begin: Math.max(range.begin, begin + shift), end: Math.min(range.end, end + shift) };
    return place.begin < place.end ? [place] : [];
  });
}

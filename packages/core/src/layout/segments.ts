import type { Range } from '../partition/partition.ts';
import type { Layout, TensorSpec } from './Layout.ts';

/** How one tensor is trained otherwise than the rest; what is left out is as for the rest. */
export interface TensorOptions {
  readonly name: string;
  /** The first step that changes it; until then its gradient is taken as 0, and it does not travel. null is never. */
  readonly frozenUntil?: number | null;
  /** Its learning rate is that of the others times this. */
  readonly learningRateScale?: number;
  readonly weightDecay?: boolean;
}

/** A run of elements that are trained alike. */
export interface Segment extends Range {
  /** The first step that changes it; Infinity is never. */
  readonly frozenUntil: number;
  readonly learningRateScale: number;
  readonly weightDecay: boolean;
}

/** What of the flat vector is trained how: a part of the job's specification. */
export interface Trained {
  readonly layout: Layout;
  readonly tensors?: readonly TensorOptions[];
}

/** `range` cut where the training changes: neighbours that are trained alike are one segment. Places are those of the flat vector. */
export function segmentsOf({ layout, tensors = [] }: Trained, range: Range): Segment[] {
  const options = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  if (options.size === 0) return range.begin < range.end ? [segmentOf(range, undefined)] : [];
  const segments: Segment[] = [];
  for (const tensor of layout.tensors) {
    const part = intersection(tensor, range);
    if (part.begin >= part.end) continue;
    const next = segmentOf(part, options.get(tensor.name));
    const last = segments.at(-1);
    if (last !== undefined && trainedAlike(last, next))
      segments[segments.length - 1] = { ...last, end: next.end };
    else segments.push(next);
  }
  return segments;
}

/** The parts that a step changes, in order and apart. */
export function liveRanges(segments: readonly Segment[], step: number): Range[] {
  const live: { begin: number; end: number }[] = [];
  for (const { begin, end, frozenUntil } of segments) {
    if (step < frozenUntil) continue;
    const last = live.at(-1);
    if (last?.end === begin) last.end = end;
    else live.push({ begin, end });
  }
  return live;
}

/** Elements in ranges that are apart. */
export function lengthOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { begin, end }) => sum + end - begin, 0);
}

function segmentOf({ begin, end }: Range, options: TensorOptions | undefined): Segment {
  const { frozenUntil = 0, learningRateScale = 1, weightDecay = true } = options ?? {};
  return { begin, end, frozenUntil: frozenUntil ?? Number.POSITIVE_INFINITY, learningRateScale, weightDecay };
}

function trainedAlike(a: Segment, b: Segment): boolean {
  return (
    a.frozenUntil === b.frozenUntil &&
    a.learningRateScale === b.learningRateScale &&
    a.weightDecay === b.weightDecay
  );
}

function intersection({ offset, length }: TensorSpec, { begin, end }: Range): Range {
  return { begin: Math.max(offset, begin), end: Math.min(offset + length, end) };
}

import type { Layout } from '../layout/Layout.ts';

/** A half-open range of the flat parameter vector, in elements. */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

/**
 * Shards begin at multiples of this many elements. It is also the block of the norm (see reduction/blockSquares.ts):
 * since no block straddles a shard, a norm is the same bits for any number of servers.
 */
export const blockElements = 1024;

/**
 * Cuts `length` elements into at most `shards` ranges of whole blocks, as even as they get, none empty.
 * Fewer blocks than shards give fewer ranges; the servers left over stand by.
 */
export function partition(length: number, shards: number): Range[] {
  const blocks = Math.ceil(length / blockElements);
  const count = Math.max(1, Math.min(shards, blocks));
  const ranges: Range[] = [];
  for (let index = 0; index < count; index++) {
    const begin = Math.floor((blocks * index) / count) * blockElements;
    const end = Math.min(length, Math.floor((blocks * (index + 1)) / count) * blockElements);
    ranges.push({ begin, end });
  }
  return ranges;
}

/**
 * Cuts the tensors of a layout into at most `shards` ranges of whole tensors, none empty: for methods that need all of a tensor in one place. Each cut is the
 * tensor's border nearest to where an even cut would be, so a large tensor makes a large shard.
 */
export function partitionTensors(layout: Layout, shards: number): Range[] {
  const borders = [...layout.tensors.map(({ offset }) => offset), layout.length];
  const cuts = [0];
  for (let index = 1; index < shards; index++) {
    const even = (layout.length * index) / shards;
    const nearest = borders.reduce((best, border) =>
      Math.abs(border - even) < Math.abs(best - even) ? border : best,
    );
    if (nearest > cuts[cuts.length - 1] && nearest < layout.length) cuts.push(nearest);
  }
  return cuts.map((begin, index) => ({ begin, end: cuts[index + 1] ?? layout.length }));
}

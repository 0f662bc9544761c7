import { encodeHeader, headerBytes } from '@tributary/core/checkpoint-format/header.ts';
import { planCheckpoint } from '@tributary/core/checkpoint-format/plan.ts';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { byteOffset, sectionsOf } from '@tributary/core/checkpoint-format/sections.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { partition, partitionTensors } from '@tributary/core/partition/partition.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomVector } from './randomVector.ts';

test('the chunks lie end to end and have every element of every section once', () => {
  const input = fc.record({
    length: fc.nat(20_000),
    slots: fc.nat(3),
    shards: fc.integer({ min: 1, max: 5 }),
    chunkBytes: fc.integer({ min: 4000, max: 50_001 }),
  });
  fc.assert(
    fc.property(input, ({ length, slots, shards, chunkBytes }) => {
      const layout = createLayout([{ name: 'w', shape: [length] }]);
      const slotLayouts = ['m', 'v', 'vMax'].slice(0, slots).map((name) => ({ name, layout }));
      const sections = sectionsOf(layout, slotLayouts);
      const ranges = partition(length, shards);
      const plan = planCheckpoint(layout, slotLayouts, ranges, chunkBytes);
      let offset = 0;
      for (const [index, chunk] of plan.entries()) {
        expect(chunk.index).toBe(index);
        expect(chunk.offset).toBe(offset);
        if (index > 0) {
          expect(chunk.bytes).toBe((chunk.end - chunk.begin) * 4);
          expect(chunk.bytes).toBeGreaterThan(0);
          expect(chunk.bytes).toBeLessThanOrEqual(chunkBytes);
          expect(chunk.begin).toBeGreaterThanOrEqual(ranges[chunk.shard].begin);
          expect(chunk.end).toBeLessThanOrEqual(ranges[chunk.shard].end);
          expect(chunk.offset).toBe(byteOffset(plan[0].bytes, sections, chunk.section, chunk.begin));
        }
        offset += chunk.bytes;
      }
      expect(plan[0]).toMatchObject({ section: -1, shard: -1, bytes: headerBytes(layout, slotLayouts) });
      expect(offset).toBe(plan[0].bytes + (slots + 1) * length * 4);
    }),
    { numRuns: 200, seed: 5 },
  );
});

test('chunks written shard by shard make one safetensors file', () => {
  const layout = createLayout([
    { name: 'a', shape: [3000] },
    { name: 'b', shape: [10, 100] },
  ]);
  const sections = [randomVector(1, 4000), randomVector(2, 4000)];
  const slots = [{ name: 'momentum', layout }];
  const plan = planCheckpoint(layout, slots, partition(4000, 3), 2048);
  const last = plan[plan.length - 1];
  const file = new Uint8Array(last.offset + last.bytes);
  file.set(encodeHeader(layout, slots, { step: '3' }));
  for (const chunk of plan.slice(1).reverse()) {
    const { buffer } = sections[chunk.section];
    file.set(new Uint8Array(buffer, chunk.begin * 4, chunk.bytes), chunk.offset);
  }
  expect(decodeSafetensors(file)).toMatchObject({ layout, flat: sections[0], metadata: { step: '3' } });
});

test('slots may lie otherwise than the parameters, if no tensor is cut', () => {
  const layout = createLayout([
    { name: 'a', shape: [30, 20] },
    { name: 'empty', shape: [0] },
    { name: 'b', shape: [100] },
    { name: 'c', shape: [20, 5] },
  ]);
  const sides = createLayout([
    { name: 'a', shape: [30, 30] },
    { name: 'empty', shape: [0, 0] },
    { name: 'b', shape: [0] },
    { name: 'c', shape: [20, 20] },
  ]);
  const slots = [
    { name: 'left', layout: sides },
    { name: 'm', layout },
  ];
  const plan = planCheckpoint(layout, slots, partitionTensors(layout, 3), 400);
  let offset = 0;
  for (const chunk of plan) {
    expect(chunk.offset).toBe(offset);
    offset += chunk.bytes;
  }
  expect(offset).toBe(plan[0].bytes + (800 + 1300 + 800) * 4);
  const elements = (section: number, shard: number) =>
    plan
      .filter((chunk) => chunk.section === section && chunk.shard === shard)
      .reduce((sum, { bytes }) => sum + bytes / 4, 0);
  // Shards of [a], [b, c] and no third: its cut would be at the same border.
  expect([0, 1].map((shard) => [0, 1, 2].map((section) => elements(section, shard)))).toEqual([
    [600, 900, 600],
    [200, 400, 200],
  ]);
});

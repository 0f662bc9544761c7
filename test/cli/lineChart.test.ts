import { expect, test } from 'vitest';
import { lineChart } from '../../packages/cli/src/report/lineChart.ts';

const options = { title: 'Loss', xLabel: 'passes', yLabel: 'loss', formatX: String };
const placesOf = (svg: string, kind: string) =>
  [...svg.matchAll(new RegExp(`<polyline class="${kind} [^>]*points="([^"]*)"`, 'g'))].map(([, points]) =>
    points.split(' ').map((point) => point.split(',').map(Number)),
  );

test('several runs of the same are drawn with their mean, in which one that has ended stays as it was', () => {
  const lines = [
    [
      { x: 0, y: 1 },
      { x: 10, y: 0 },
    ],
    [
      { x: 0, y: 1 },
      { x: 20, y: 0.5 },
    ],
  ];
  const svg = lineChart([{ label: 'adam', color: 2, lines }], options);
  const [short, long] = placesOf(svg, 'seed');
  const [mean] = placesOf(svg, 'mean');
  expect(placesOf(svg, 'seed')).toHaveLength(2);
  expect(mean.at(-1)![0]).toBe(long.at(-1)![0]);
  expect(mean.at(-1)![1]).toBeCloseTo((short.at(-1)![1] + long.at(-1)![1]) / 2, 0);
  expect(svg).toContain('>adam</text>');
});

test('what explodes leaves the picture and does not flatten the rest; what is no number is left out', () => {
  const wild = [1, 1.1, 1e30, Number.NaN, Number.POSITIVE_INFINITY].map((y, x) => ({ x, y }));
  const calm = [1, 0.8, 0.6, 0.5, 0.4].map((y, x) => ({ x, y }));
  const svg = lineChart(
    [
      { label: 'wild', color: 0, lines: [wild] },
      { label: 'calm', color: 1, lines: [calm] },
    ],
    options,
  );
  const [, drawn] = placesOf(svg, 'mean');
  const heights = drawn.map(([, y]) => y);
  expect(Math.max(...heights) - Math.min(...heights)).toBeGreaterThan(200);
  expect(svg).not.toMatch(/NaN|Infinity/);
});

test('names are escaped, and nothing to draw is said', () => {
  const line = [
    { x: 0, y: 2 },
    { x: 1, y: 1 },
  ];
  expect(lineChart([{ label: '<b>&', color: 0, lines: [line] }], options)).toContain('&#60;b&#62;&#38;');
  expect(lineChart([], options)).toContain('nothing to draw');
});

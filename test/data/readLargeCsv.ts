import { csv } from '@tributary/worker/data/csv.ts';

/**
 * A process of its own, with little heap: reads minibatches from all over a large file, and prints what it saw and by how much its memory grew.
 * Arguments: the file, whose column `n` is the number of the row.
 */
const [, , path] = process.argv;
const baseline = process.memoryUsage.rss();
const dataset = await csv(path, { fields: { n: { columns: 'n', dtype: 'int32' }, x: ['a', 'b'] } }).open();
let wrong = 0;
for (let batch = 0; batch < 50; batch++) {
  // Steps of a golden section: any row may come, none twice.
  const examples = Uint32Array.from({ length: 32 }, (_, index) =>
    Math.floor((((batch * 32 + index) * 0.618034) % 1) * dataset.size),
  );
  const { n } = await dataset.read(examples);
  examples.forEach((example, index) => {
    if (n.data[index] !== example) wrong++;
  });
}
await dataset.close();
const grownBytes = process.resourceUsage().maxRSS * 1024 - baseline;
console.log(JSON.stringify({ size: dataset.size, wrong, grownBytes }));

import { execFile } from 'node:child_process';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { testFolder } from './readAll.ts';

const run = promisify(execFile);

test('memory does not grow with the file: 130 MB are read with less than 40', async () => {
  const path = join(await testFolder(), 'large.csv');
  const rows = 3_000_000;
  const file = await open(path, 'w');
  await file.write('n,note,a,b\n');
  for (let begin = 0; begin < rows; begin += 100_000) {
    let text = '';
    for (let row = begin; row < begin + 100_000; row++)
      text += `${row},"a note, with\na line",${row % 977},${row / 8}\n`;
    await file.write(text);
  }
  await file.close();
  expect((await stat(path)).size).toBeGreaterThan(120e6);

  const script = join(import.meta.dirname, 'readLargeCsv.ts');
  const { stdout } = await run(process.execPath, ['--max-old-space-size=32', script, path]);
  const { size, wrong, grownBytes } = JSON.parse(stdout);
  expect(size).toBe(rows);
  expect(wrong).toBe(0);
  expect(grownBytes).toBeLessThan(40e6);
});

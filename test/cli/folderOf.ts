import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../cluster/tributary.ts';

const packages = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** A folder as a user has it: files, and the packages installed beside them. */
export function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = temporaryFolder();
  symlinkSync(packages, join(folder, 'node_modules'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** A job file that trains a line on the data source `data`, written as an expression. */
export function lineOn(data: string): string {
  return `import { numpy as np } from '@jax-js/jax';
import { csv, defineJob, idx, inMemory, sgd } from 'tributary';

export default defineJob({
  model: {
    init: () => ({ w: np.array(0.5) }),
    loss: ({ w }, { x, y }) => np.mean(np.square(x.mul(w).sub(y))),
  },
  data: { train: ${data} },
  optimizer: sgd({ learningRate: 0.01 }),
  ranks: 2,
  batchSize: 2,
  steps: 4,
});
`;
}

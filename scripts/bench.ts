/** `pnpm bench NAME [arguments]` runs bench/NAME.ts; without a name it says which there are. */
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';

const folder = join(import.meta.dirname, '../bench');
const names = globSync('*.ts', { cwd: folder }).map((file) => basename(file, '.ts'));
const [name] = process.argv.splice(2, 1);

if (name !== undefined && names.includes(name)) {
  await import(join(folder, `${name}.ts`));
} else {
  const known = `Benches: ${names.sort().join(', ') || 'none'}. Run one by \`pnpm bench NAME\`.`;
  if (name === undefined) console.log(known);
  else {
    console.error(`There is no bench "${name}". ${known}`);
    process.exitCode = 2;
  }
}

/**
 * `pnpm bench NAME [arguments]` runs bench/NAME.ts; without a name it says which there are. A bench begins with a comment that says how it is called, which is what
 * `--help` shows; what else lies in bench/ is for benches.
 */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const folder = join(import.meta.dirname, '../bench');
const usages = new Map(
  globSync('*.ts', { cwd: folder }).flatMap((file): [string, string][] => {
    const name = basename(file, '.ts');
    const source = readFileSync(join(folder, file), 'utf8');
    const [, comment = ''] = /^\/\*\*\n \* (.*?)\n \*\//s.exec(source) ?? [];
    return comment.startsWith(`\`pnpm bench ${name}`) ? [[name, comment.replace(/\n \* /g, '\n')]] : [];
  }),
);
const [name, ...rest] = process.argv.slice(2);
const known = `Benches: ${[...usages.keys()].sort().join(', ')}. Run one by \`pnpm bench NAME\`; \`pnpm bench NAME --help\` says what it takes.`;

if (name === undefined || name === '--help') console.log(known);
else if (!usages.has(name)) refuse(`There is no bench "${name}". ${known}`);
else if (rest.includes('--help')) console.log(usages.get(name));
else {
  process.argv.splice(2, 1);
  try {
    await import(join(folder, `${name}.ts`));
  } catch (error) {
    const isWrongFlag =
      error instanceof Error && /^ERR_PARSE_ARGS/.test((error as { code?: string }).code ?? '');
    if (!isWrongFlag) throw error;
    refuse(`${error.message}. \`pnpm bench ${name} --help\` says what it takes.`);
  }
}

function refuse(why: string): void {
  console.error(`error: ${why}`);
  process.exitCode = 2;
}

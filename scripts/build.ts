/**
 * Makes packages/<name>/dist, what npm gets: JavaScript, types and their maps from src/*.ts, and every other file of src as it is.
 *
 * Nothing in development needs it: Node runs the sources. It is incremental and may run for several packages at once (`prepack` does),
 * hence stale files are removed one by one afterwards rather than the folder beforehand.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const projects = globSync('packages/*/tsconfig.build.json', { cwd: root });

execFileSync(join(root, 'node_modules/.bin/tsc'), ['--build', ...projects], { cwd: root, stdio: 'inherit' });
for (const project of projects) finish(join(root, dirname(project)));

function finish(packageFolder: string): void {
  const source = join(packageFolder, 'src');
  const output = join(packageFolder, 'dist');
  const files = (folder: string) =>
    globSync('**/*', { cwd: folder, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

  const assets = files(source).filter((file) => !file.endsWith('.ts'));
  for (const asset of assets) {
    mkdirSync(dirname(join(output, asset)), { recursive: true });
    copyFileSync(join(source, asset), join(output, asset));
  }
  for (const file of files(output)) {
    const typescript = file.replace(/(?:\.d\.ts|\.js)(?:\.map)?$/, '.ts');
    if (!assets.includes(file) && !existsSync(join(source, typescript))) rmSync(join(output, file));
    else if (file.endsWith('.js') && !assets.includes(file)) pointUrlsAtJavaScript(join(output, file));
  }
  const main = join(output, 'main.js');
  if (existsSync(main)) chmodSync(main, 0o755);
}

/** tsc rewrites the extension in imports, but not in `new URL('./thread.ts', import.meta.url)`. */
function pointUrlsAtJavaScript(file: string): void {
  const before = readFileSync(file, 'utf8');
  const after = before.replace(/(new URL\(\s*['"]\.[^'"]*)\.ts(['"],\s*import\.meta\.url)/g, '$1.js$2');
  if (after !== before) writeFileSync(file, after);
}

/**
 * Makes packages/<name>/dist, what npm gets: JavaScript, types and their maps from src/*.ts, and every other file of src as it is.
 * `node scripts/build.ts [package folder…]`, all packages by default. Nothing in development needs it: Node runs the sources.
 *
 * tsc builds what a package stands on as well, but only the folders asked for are finished here. So the `prepack` scripts of several
 * packages, each asking for its own, may run at once.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, globSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = join(import.meta.dirname, '..');
const asked = process.argv.slice(2).map((folder) => resolve(folder));
const folders =
  asked.length > 0 ? asked : globSync(join(root, 'packages/*/tsconfig.build.json')).map(dirname);

const projects = folders.map((folder) => join(folder, 'tsconfig.build.json'));
const tsc = join(root, 'node_modules/.bin/tsc');
const { status } = spawnSync(tsc, ['--build', ...projects], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(1);
for (const folder of folders) finish(join(folder, 'src'), join(folder, 'dist'));

function finish(source: string, output: string): void {
  const assets = files(source).filter((file) => !file.endsWith('.ts'));
  for (const asset of assets) {
    mkdirSync(dirname(join(output, asset)), { recursive: true });
    copyFileSync(join(source, asset), join(output, asset));
  }
  for (const file of files(output)) {
    const typescript = file.replace(/(?:\.d\.ts|\.js)(?:\.map)?$/, '.ts');
    if (!assets.includes(file) && !existsSync(join(source, typescript))) rmSync(join(output, file));
  }
  if (existsSync(join(output, 'main.js'))) chmodSync(join(output, 'main.js'), 0o755);
}

/** Relative paths of the files below a folder, hidden ones left out. */
function files(folder: string): string[] {
  return globSync('**/*', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

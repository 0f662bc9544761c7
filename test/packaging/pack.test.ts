/**
 * The packages as npm gets them: packed, installed by npm into an empty folder away from this repository, and used there by one who has
 * only them. Nothing of the workspace is in reach except the pinned Node.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import golden from '../fixtures/golden/linear-regression.json' with { type: 'json' };

const root = join(import.meta.dirname, '../..');
const bin = join(root, 'node_modules/.bin');

let folder: string;
let tarballs: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-pack-'));
  const packed = join(folder, 'packed');
  const published = ['--filter', './packages/*', '--filter', './proto'];
  await succeed(
    'npx',
    ['--yes', 'pnpm@12', '--recursive', ...published, 'pack', '--pack-destination', packed],
    root,
  );
  tarballs = (await readdir(packed)).map((file) => join(packed, file));

  await mkdir(join(folder, 'home'));
  await writeFile(join(folder, 'home/package.json'), '{ "private": true, "type": "module" }\n');
  const quietly = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  await succeed('npm', ['install', ...quietly, ...tarballs], join(folder, 'home'));
  await cp(join(root, 'examples/linear-regression'), join(folder, 'home/linear-regression'), {
    recursive: true,
    filter: (path) => !/(?:node_modules|runs|package\.json)$/.test(path),
  });
}, 240_000);

afterAll(() => rm(folder, { recursive: true }));

test('a tarball holds the licence and JavaScript with types, and names no workspace', async () => {
  const names = [
    'tributary',
    '@tributary/core',
    '@tributary/worker',
    '@tributary/server',
    '@tributary/client',
  ];
  expect(tarballs).toHaveLength(7);
  for (const name of names) {
    const installed = join(folder, 'home/node_modules', name);
    const manifest = await readFile(join(installed, 'package.json'), 'utf8');
    expect(manifest).not.toContain('workspace:');
    const files = await readdir(installed, { recursive: true });
    expect(files).toContain('LICENSE');
    for (const script of files.filter((file) => file.startsWith('dist/') && file.endsWith('.js'))) {
      expect(files).toContain(script.replace(/js$/, 'd.ts'));
    }
  }
});

test('npx tributary says its version and its help', async () => {
  const { version } = JSON.parse(await readFile(join(root, 'packages/cli/package.json'), 'utf8'));
  expect(await tributary('--version')).toContain(version);
  expect(await tributary('--help')).toContain('train');
});

test('npx tributary train runs an example', async () => {
  const result = JSON.parse(await tributary('train', 'linear-regression/job.ts', '--json'));
  expect(result).toMatchObject({ servers: 2, workers: 2, coordinator: expect.stringMatching(/^sqlite:/) });
  expect(result.parametersSha256).toMatch(/^[0-9a-f]{64}$/);
  expect(result.loss).toBeCloseTo(golden.train_w_and_b.final_loss, 5);
}, 120_000);

test('an editor sees the types of a job file, and its mistakes', async () => {
  const home = join(folder, 'home');
  const options = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, skipLibCheck: true };
  const allowed = { allowImportingTsExtensions: true, types: [] };
  const config = { compilerOptions: { ...options, ...allowed }, files: ['linear-regression/job.ts'] };
  await writeFile(join(home, 'tsconfig.json'), JSON.stringify(config));
  await succeed(join(bin, 'tsc'), ['-p', '.'], home);

  await writeFile(
    join(home, 'wrong.ts'),
    "import { defineJob } from 'tributary';\nexport default defineJob({ model: 1 });\n",
  );
  await writeFile(join(home, 'tsconfig.json'), JSON.stringify({ ...config, files: ['wrong.ts'] }));
  const { code, stdout } = await run(join(bin, 'tsc'), ['-p', '.'], home);
  expect(code).not.toBe(0);
  expect(stdout).toMatch(/^wrong\.ts\(2,\d+\): error TS/);
});

test('an older Node is told in one line', async () => {
  const older =
    'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.0.0"}})';
  const main = join(folder, 'home/node_modules/tributary/dist/main.js');
  const { code, stdout, stderr } = await run(
    join(bin, 'node'),
    ['--import', older, main, '--version'],
    folder,
  );
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^tributary needs Node 24 or newer.*\n$/);
});

function tributary(...parameters: string[]): Promise<string> {
  return succeed('npx', ['--offline', 'tributary', ...parameters], join(folder, 'home'));
}

async function succeed(command: string, parameters: string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await run(command, parameters, cwd);
  if (code !== 0)
    throw new Error(`${command} ${parameters.join(' ')} ended with ${code}\n${stdout}\n${stderr}`);
  return stdout;
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, parameters: string[], cwd: string): Promise<Outcome> {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  return new Promise((resolve) => {
    execFile(command, parameters, { cwd, env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

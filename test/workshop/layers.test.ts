/**
 * The layer rules hold in the tree, and each of them bites: a small house is built in a temporary folder in which every rule is
 * broken once, and the tools must name the rule and the file.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rules } from '../../scripts/layers.ts';

const root = join(import.meta.dirname, '../..');
const layersConfig = join(root, 'scripts/layers.ts');
const libraryRules = rules.map((rule) => rule.name).filter((name) => name.startsWith('wall-'));

/** By rule: a file that breaks it, and how. */
const violations: Record<string, [file: string, source: string]> = {
  'layer-core': ['packages/core/src/layout/a.ts', "import '../../../client/src/leaf.ts';"],
  'layer-client': ['packages/client/src/a.ts', "import '../../coordinator/src/leaf.ts';"],
  'layer-coordinator': [
    'packages/coordinator/src/a.ts',
    "import type { Leaf } from '../../client/src/leaf.ts';",
  ],
  'layer-server': ['packages/server/src/a.ts', "import '../../worker/src/leaf.ts';"],
  'layer-worker': ['packages/worker/src/a.ts', "await import('../../server/src/leaf.ts');"],
  'layer-dashboard': ['packages/dashboard/src/a.ts', "import '../../cli/src/leaf.ts';"],
  'layer-cli': ['packages/cli/src/a.ts', "export { leaf } from '../../dashboard/src/leaf.ts';"],
  'core-is-pure': ['packages/core/src/codec/b.ts', "import { readFileSync } from 'node:fs';"],
  'core-rooms-are-apart': [
    'packages/core/src/codec/c.ts',
    "import type { Leaf } from '../optimizer/leaf.ts';",
  ],
  'core-foundation-is-low': ['packages/core/src/limits/d.ts', "import '../layout/leaf.ts';"],
  'main-is-the-root': ['packages/server/src/e.ts', "import './main.ts';"],
  'packages-stand-alone': ['packages/server/src/f.ts', "import '../../../test/leaf.ts';"],
  'examples-use-the-public-door': ['examples/g/job.ts', "import '../../packages/worker/src/leaf.ts';"],
  'no-process-import': ['packages/server/src/h.ts', "import { env } from 'node:process';"],
  'no-cycles': ['packages/server/src/i.ts', "import './i.ts';"],
  'declared-dependencies': ['packages/server/src/j.ts', "import 'undeclared';"],
  ...Object.fromEntries(
    libraryRules.map((rule, index): [string, [string, string]] => [
      rule,
      [`packages/server/src/wall${index}.ts`, `import '${rule.slice('wall-'.length)}';`],
    ]),
  ),
};

/** By rule of the linter: what only it can see. */
const lintViolations: Record<string, [file: string, source: string]> = {
  'lint/style/noProcessEnv': ['packages/server/src/lint/a.ts', 'export const home = process.env.HOME;\n'],
  'lint/style/noRestrictedGlobals': ['packages/core/src/clock/lint.ts', 'export const now = Date.now();\n'],
  'lint/nursery/noFloatingPromises': [
    'packages/client/src/lint/b.ts',
    'async function push(): Promise<void> {}\nexport function go(): void {\n  push();\n}\n',
  ],
};

let house: string;

beforeAll(async () => {
  house = await mkdtemp(join(tmpdir(), 'tributary-layers-'));
  const leaves = [
    'core/src/layout',
    'core/src/optimizer',
    'client/src',
    'coordinator/src',
    'server/src',
    'worker/src',
    'cli/src',
  ];
  await Promise.all([
    ...leaves.map((folder) =>
      write(`packages/${folder}/leaf.ts`, 'export type Leaf = 1;\nexport const leaf = 1;\n'),
    ),
    write('packages/dashboard/src/leaf.ts', 'export const leaf = 1;\n'),
    write('packages/server/src/main.ts', 'export const leaf = 1;\n'),
    write('test/leaf.ts', 'export const leaf = 1;\n'),
    write('package.json', '{ "type": "module" }\n'),
    ...[...libraryRules.map((rule) => rule.slice('wall-'.length)), 'undeclared'].map(async (library) => {
      await write(`node_modules/${library}/index.js`, '');
      await write(
        `node_modules/${library}/package.json`,
        `{ "name": "${library}", "exports": "./index.js" }`,
      );
    }),
    ...[...Object.values(violations), ...Object.values(lintViolations)].map(([file, source]) =>
      write(file, source),
    ),
  ]);
  await copyFile(join(root, 'biome.json'), join(house, 'biome.json'));
});

afterAll(() => rm(house, { recursive: true }));

test('every import of the tree keeps the layers', async () => {
  const report = JSON.parse(
    await tool('depcruise', ['-c', layersConfig, '-T', 'json', 'packages', 'examples'], root),
  );
  expect(report.summary.violations).toEqual([]);
  expect(report.summary.totalCruised).toBeGreaterThan(20);
});

test('every layer rule catches the file that breaks it', async () => {
  const report = JSON.parse(
    await tool('depcruise', ['-c', layersConfig, '-T', 'json', 'packages', 'examples'], house),
  );
  const caught = report.summary.violations.map((violation: { rule: { name: string }; from: string }) => [
    violation.rule.name,
    violation.from,
  ]);
  expect(Object.keys(violations).sort()).toEqual(rules.map((rule) => rule.name).sort());
  for (const [rule, [file]] of Object.entries(violations)) expect(caught).toContainEqual([rule, file]);
});

test('the linter catches what an import does not show', async () => {
  const report = JSON.parse(
    await tool('biome', ['lint', '--vcs-enabled=false', '--reporter=json', '.'], house),
  );
  const caught = report.diagnostics.map((diagnostic: { category: string; location: { path: string } }) => [
    diagnostic.category,
    diagnostic.location.path,
  ]);
  for (const [rule, [file]] of Object.entries(lintViolations)) expect(caught).toContainEqual([rule, file]);
});

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(house, file)), { recursive: true });
  await writeFile(join(house, file), text);
}

/** What a tool of the workshop prints. That it exits with an error is what most of these tests want. */
function tool(name: string, parameters: string[], cwd: string): Promise<string> {
  const command = join(root, 'node_modules/.bin', name);
  return new Promise((resolve) => {
    execFile(command, parameters, { cwd, maxBuffer: 64 << 20 }, (_error, stdout) => resolve(stdout));
  });
}

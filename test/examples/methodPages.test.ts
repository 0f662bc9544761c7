import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { run, temporaryFolder } from '../cluster/tributary.ts';

/* The commands that docs/methods shows, in small: what a page says must run. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = `${root}/docs/methods`;

/** What makes a command short; the last word of a flag counts. */
const inSmall: Readonly<Record<string, readonly string[]>> = {
  train: ['--steps', '2'],
  compare: ['--budget-passes', '1', '--seeds', '1'],
  tune: ['--rate-steps', '10', '--noise-passes', '0'],
  search: ['--trials', '2', '--passes', '0.5'],
};

const commands = readdirSync(pages).flatMap((page) => {
  const blocks = readFileSync(`${pages}/${page}`, 'utf8').matchAll(/^```sh\n(.*?)^```/gms);
  return [...blocks]
    .flatMap(([, block]) => block.split('\n'))
    .filter((line) => /^tributary \w+ examples\//.test(line))
    .map((line) => [page, line] as const);
});

test('there are commands on the pages', () => {
  expect(commands.length).toBeGreaterThan(4);
});

test.each(commands)('%s: %s', { timeout: 300_000 }, async (_, line) => {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain).slice(1);
  const kind = words.includes('--search') ? 'search' : words[0];
  const small = [...inSmall[kind], '--workers', '1', '--servers', '1', '--no-self-check'];
  const result = await run([...words, ...small, '--runs', temporaryFolder(), '--json'], { cwd: root });
  expect(result.code, result.stderr).toBe(0);
  expect(JSON.parse(result.stdout)).toHaveProperty('job');
});

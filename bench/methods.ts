/**
 * `pnpm bench methods [--write] [--only NAME]... [--seconds N]`: what every example of docs/methods costs. Methods that train the digits do so on both problems, until a target, N seconds (10) at
 * most; of what servers do, the update of a million parameters is measured apart. Other examples are run as their pages say. One seed; two servers and two workers. With
 * --write the tables go into the pages; with --only it measures only pages whose name has this in it, and writes only those. The last line is JSON.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { initialiseJax } from '@tributary/worker/autodiff/initialiseJax.ts';
import { layoutOf } from '@tributary/worker/autodiff/initialParameters.ts';
import { loadJob } from '@tributary/worker/job/loadJob.ts';
import { isStepMethod } from '@tributary/worker/methods/table.ts';
import { network } from '../examples/methods/digits.ts';
import { describeMachine } from '../packages/cli/src/report/machine.ts';
import { type MethodPage, methodPages, root, wordsOf } from '../test/examples/methodPages.ts';
import { measureUpdate } from './methods/measureUpdate.ts';
import { runCommand } from './methods/runCommand.ts';
import { stateOf } from './methods/stateOf.ts';
import {
  type CommandRow,
  choosingTable,
  commandTable,
  familyTable,
  type MethodRow,
  methodTable,
} from './methods/tables.ts';
import { trainToTarget } from './methods/trainToTarget.ts';

const { values: options } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [''] },
    seconds: { type: 'string', default: '10' },
  },
});
const pages = methodPages().filter(({ name }) => options.only.some((part) => name.includes(part)));
/** They train the digits, alone. */
const isMethod = ({ commands }: MethodPage) => /^tributary train examples\/methods\//.test(commands[0]);

const [loadBefore] = loadavg();
const folder = mkdtempSync(join(tmpdir(), 'tributary-methods-'));
await initialiseJax();
const model = layoutOf(network.model).layout;
const methods: MethodRow[] = [];
const commands: CommandRow[] = [];
try {
  for (const page of pages) {
    console.error(page.name);
    if (isMethod(page)) methods.push(await measureMethod(page));
    else for (const command of page.commands) commands.push({ page: page.name, ...measureCommand(command) });
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** Half a processor is what this needs to look around; more is other work, and times then say little. */
const busy = loadBefore > 0.5 ? `, busy with other work (load ${loadBefore.toFixed(0)})` : '';
const machine = `${describeMachine()}, ${new Date().toISOString().slice(0, 10)}${busy}`;
console.log(machine);
console.log(familyTable('', methods));
console.log(commandTable(commands));
if (options.write) write();
console.log(JSON.stringify({ bench: 'methods', machine, methods, commands }));

async function measureMethod({ name, title, commands: [command] }: MethodPage): Promise<MethodRow> {
  const { job } = await loadJob(join(root, wordsOf(command)[1]));
  const limit = { seconds: Number(options.seconds), folder };
  return {
    ...{ page: name, title, state: stateOf(job.optimizer, model) },
    updateMs: isStepMethod(job.optimizer) ? undefined : measureUpdate(job.optimizer),
    costs: {
      network: await trainToTarget(job, 'network', limit),
      logistic: await trainToTarget(job, 'logistic', limit),
    },
  };
}

/** Several pages begin with the same command. */
function measureCommand(command: string) {
  const known = commands.find((row) => row.command === command);
  return known ?? runCommand(command, folder);
}

/** Puts the tables into the pages, and lets the formatter set them. */
function write(): void {
  for (const row of methods) put(row.page, [methodTable(row)]);
  for (const { name } of pages) {
    const rows = commands.filter(({ page }) => page === name);
    if (rows.length > 0) put(name, [commandTable(rows)]);
  }
  // Tables of several pages only if all were measured.
  if (options.only.join('') === '') {
    for (const family of new Set(pages.map(({ name }) => name.split('/')[0]))) {
      const within = ({ page }: { page: string }) => page.startsWith(`${family}/`);
      const [trained, run] = [methods.filter(within), commands.filter(within).filter(isFirst)];
      put(`${family}/README`, [
        ...(trained.length > 0 ? [familyTable(family, trained)] : []),
        ...(run.length > 0 ? [commandTable(run)] : []),
      ]);
    }
    put('choosing', [choosingTable(methods)]);
  }
  execFileSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', 'docs/methods'], {
    ...{ cwd: root, stdio: 'ignore' },
  });
}

/** Between the marks of a page of docs/methods. */
function put(page: string, tables: readonly string[]): void {
  const file = join(root, 'docs/methods', `${page}.md`);
  const text = readFileSync(file, 'utf8');
  const found = /(<!-- measured -->\n).*(<!-- end of measured -->)/s;
  if (!found.test(text)) throw new Error(`${file} has no place for what was measured`);
  const up = page.includes('/') ? '../' : '';
  const stamp = `${machine}; [how](${up}README.md#how-the-costs-were-measured).`;
  writeFileSync(
    file,
    text.replace(found, (_, begin, end) => `${begin}\n${[...tables, stamp].join('\n\n')}\n\n${end}`),
  );
}

function isFirst({ command }: CommandRow, index: number, all: readonly CommandRow[]): boolean {
  return all.findIndex((row) => row.command === command) === index;
}

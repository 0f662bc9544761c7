import { ms } from '../../packages/cli/src/compare/describe.ts';
import { bytes, number } from '../../packages/cli/src/progress/progressText.ts';
import type { CommandCost } from './runCommand.ts';
import type { MethodState } from './stateOf.ts';
import { type MethodCost, type Problem, targets } from './trainToTarget.ts';

/* What was measured, as tables for the pages; the formatter of the house makes their columns even. */

/** The method of a page, on both problems. */
export interface MethodRow {
  readonly page: string;
  readonly title: string;
  readonly state: MethodState;
  /** Of a million parameters by the servers, ms; undefined if they only store what workers computed. */
  readonly updateMs: number | undefined;
  readonly costs: Readonly<Record<Problem, MethodCost>>;
}

export interface CommandRow extends CommandCost {
  readonly page: string;
}

const problems = Object.keys(targets) as Problem[];
const problemNames = { network: 'Network', logistic: 'Logistic regression' };

/** For the page of a method: a column for each problem. */
export function methodTable({ costs, updateMs, state }: MethodRow): string {
  const columns = problems.map((problem) => [...targetCells(costs[problem]), ...stepCells(costs[problem])]);
  const names = [
    ...['Time to the target', 'Steps', 'Passes', 'Pushed'],
    ...['A step: time', 'Passes', 'Pushed'],
  ];
  const trained = table(
    ['', ...problems.map((problem) => `${problemNames[problem]}, to ${targets[problem]}`)],
    names.map((name, row) => [name, ...columns.map((cells) => cells[row])]),
  );
  const update = updateMs === undefined ? '' : ` The servers update a million parameters in ${ms(updateMs)}.`;
  return `${trained}\n\n${stateText(state)}${update}`;
}

export function stateText(state: MethodState): string {
  if (state.names.length === 0) return 'State on the servers: none.';
  const names = state.names.map((name) => `\`${name}\``).join(', ');
  return `State on the servers: ${names}; ${twoDigits(state.bytesPerParameter)} bytes a parameter of the network.`;
}

/** For the page of a family: a row for each method. */
export function familyTable(family: string, rows: readonly MethodRow[]): string {
  return table(
    [
      ...['Method', 'State, bytes a parameter', 'Update of a million'],
      ...problems.flatMap((problem) => [`${problemNames[problem]}: time`, 'steps', 'passes', 'pushed']),
    ],
    rows.map(({ page, title, state, updateMs, costs }) => [
      link(page, title, family),
      twoDigits(state.bytesPerParameter),
      updateMs === undefined ? '-' : ms(updateMs),
      ...problems.flatMap((problem) => targetCells(costs[problem])),
    ]),
  );
}

/** For the page that compares all: those first that were first at the target of the network. */
export function choosingTable(rows: readonly MethodRow[]): string {
  const place = ({ costs: { network } }: MethodRow) => network.target?.timeMs ?? 1e9 + network.loss;
  return table(
    ['Method', ...problems.flatMap((problem) => [`${problemNames[problem]}: time`, 'passes', 'pushed'])],
    [...rows]
      .sort((a, b) => place(a) - place(b))
      .map(({ page, title, costs }) => [
        link(page, title, ''),
        ...problems.flatMap((problem) => {
          const [time, _steps, passes, pushed] = targetCells(costs[problem]);
          return [time, passes, pushed];
        }),
      ]),
  );
}

/** For the page of a method whose example is a command of its own, or for the family of such. */
export function commandTable(rows: readonly CommandRow[]): string {
  return table(
    ['Command', 'Trainings', 'Passes', 'Training', 'Pushed', 'Result'],
    rows.map(({ command, trainings, passes, trainMs, pushedBytes, result }) => [
      `\`${shortened(command)}\``,
      ...[String(trainings), passes.toFixed(1), ms(trainMs), bytes(pushedBytes), result],
    ]),
  );
}

/** Time, steps, passes and bytes to the target; the loss at the end of a training that did not come so far. */
function targetCells({ target, loss }: MethodCost): string[] {
  if (target === undefined) return [`- (${number(loss)})`, '-', '-', '-'];
  return [ms(target.timeMs), String(target.step), target.passes.toFixed(1), bytes(target.pushedBytes)];
}

function stepCells({ step }: MethodCost): string[] {
  return step === undefined
    ? ['-', '-', '-']
    : [ms(step.ms), twoDigits(step.passes), bytes(step.pushedBytes)];
}

const twoDigits = (value: number) => String(Number(value.toPrecision(2)));

/** To the page of a method, from that of this family; '' is the folder above. */
function link(page: string, title: string, family: string): string {
  return `[${title}](${page.startsWith(`${family}/`) ? page.slice(family.length + 1) : page}.md)`;
}

/** Without what is the same in all. A bar would end the cell. */
const shortened = (command: string) =>
  command
    .replace('tributary ', '')
    .replace(/examples\/\S*?([\w-]+)\.ts/, '$1')
    .replaceAll('|', '\\|');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const aligned = head.map((name) => (['', 'Method', 'Command', 'Result'].includes(name) ? '---' : '--:'));
  return [head, aligned, ...rows].map(line).join('\n');
}

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/* The pages of docs/methods, one for each method, and what stands in them. */

export const root = join(import.meta.dirname, '../..');
const folder = join(root, 'docs/methods');

export interface OptionRow {
  readonly name: string;
  readonly initial: string;
  readonly range: string;
}

export interface MethodPage {
  /** Family and method, such as `first-order/adam`. */
  readonly name: string;
  readonly title: string;
  readonly headings: readonly string[];
  /** By heading. */
  readonly sections: ReadonlyMap<string, string>;
  readonly options: readonly OptionRow[];
  /** What is to be typed, line by line. */
  readonly commands: readonly string[];
  /** Lines of the job, if the page shows some; parted where something is left out. */
  readonly code: readonly string[];
}

export const sections = [
  'What it does',
  'Equation',
  'Source',
  'Options',
  'When',
  'What it costs here',
  'Example',
];

export function methodPages(): MethodPage[] {
  return globSync('*/*.md', { cwd: folder })
    .filter((path) => !path.endsWith('README.md'))
    .sort()
    .map((path) => readPage(path.slice(0, -'.md'.length), readFileSync(join(folder, path), 'utf8')));
}

/** All commands of the pages that are of no single method. */
export function otherCommands(): string[] {
  return globSync(['*.md', '*/README.md'], { cwd: folder }).flatMap((path) =>
    commandsIn(readFileSync(join(folder, path), 'utf8')),
  );
}

/** Of a command, after its first: what a shell makes of the line. */
export function wordsOf(command: string): string[] {
  const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)];
  return words.map(([, quoted, plain]) => quoted ?? plain).slice(1);
}

function readPage(name: string, text: string): MethodPage {
  const parts = text.split(/^## /m).slice(1);
  const found = parts.map((part): [string, string] => {
    const end = part.indexOf('\n');
    return [part.slice(0, end), part.slice(end).trim()];
  });
  const byHeading = new Map(found);
  const example = byHeading.get('Example') ?? '';
  return {
    name,
    title: /^# (.*)/.exec(text)?.[1] ?? '',
    headings: found.map(([heading]) => heading),
    sections: byHeading,
    options: optionRows(byHeading.get('Options') ?? ''),
    commands: commandsIn(example),
    code: blocks(example, 'ts').flatMap((block) => block.split('// …')),
  };
}

/** Of the table whose first columns are option, default and range. */
function optionRows(section: string): OptionRow[] {
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((line) => {
    const [, name, initial, range] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return { name: name.replaceAll('`', ''), initial, range };
  });
}

function commandsIn(text: string): string[] {
  return blocks(text, 'sh')
    .flatMap((block) => block.split('\n'))
    .filter((line) => /^tributary \w+ examples\//.test(line));
}

function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, block]) => block);
}

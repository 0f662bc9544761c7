import {
  appendFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { limits } from '@tributary/core/limits/limits.ts';
import { writing } from '../files/writing.ts';

/** The traces of the processes of a local cluster, a file each, until they are made one: they share a clock, so nothing has to be moved. */
export class TraceParts {
  readonly #path: string;
  readonly #folder: string;

  /** Throws, naming the path, where the whole cannot be written. */
  constructor(path: string) {
    this.#path = path;
    this.#folder = `${path}.parts`;
    writing(path, () => writeFileSync(path, ''));
    writing(this.#folder, () => mkdirSync(this.#folder, { recursive: true }));
  }

  /** Where a process is to write its own; see `processOf`. */
  part(processName: string): string {
    return join(this.#folder, `${processName}.json`);
  }

  /** Writes all spans to the one file, and removes the parts. What a killed process wrote last may be half a line, and is left out. */
  async merge(): Promise<void> {
    let lines: string[] = [];
    let isFirst = true;
    const write = () => {
      const text = lines.map((line) => `${line}\n`).join('');
      lines = [];
      writing(this.#path, () => appendFileSync(this.#path, text));
    };
    const parts = existsSync(this.#folder) ? readdirSync(this.#folder).sort() : [];
    for (const part of parts) {
      for await (const line of createInterface({ input: createReadStream(join(this.#folder, part)) })) {
        if (line === ']' || !isWhole(line.slice(1))) continue;
        lines.push((isFirst ? '[' : ',') + line.slice(1));
        isFirst = false;
        if (lines.length >= limits.traceLinesMax) write();
      }
    }
    lines.push(isFirst ? '[]' : ']');
    write();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The name of the process that writes a part. */
export function processOf(part: string): string {
  return basename(part, extname(part));
}

function isWhole(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

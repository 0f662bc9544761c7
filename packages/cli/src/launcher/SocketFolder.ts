import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'tributary-sockets-';

/** Where the processes of a local cluster listen: Unix sockets, two to four times as fast as the loopback. Only this user may enter. */
export class SocketFolder {
  readonly #path: string;
  /** A second Ctrl-C leaves at once. */
  readonly #atExit = () => this.remove();

  private constructor(path: string) {
    this.#path = path;
  }

  /** In the folder for temporary files: the path of a socket has room for some hundred characters, and that of a run folder may be longer. */
  static create(): SocketFolder {
    removeThoseOfTheDead();
    const folder = new SocketFolder(mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`)));
    process.once('exit', folder.#atExit);
    return folder;
  }

  /** Of the process of this name. */
  address(name: string): string {
    return `unix:${join(this.#path, `${name}.sock`)}`;
  }

  remove(): void {
    process.off('exit', this.#atExit);
    rmSync(this.#path, { recursive: true, force: true });
  }
}

/** A process that was killed could not remove its own. */
function removeThoseOfTheDead(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : undefined;
    if (pid === undefined || isAlive(pid)) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // Another user's.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

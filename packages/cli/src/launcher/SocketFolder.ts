import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
    const folder = new SocketFolder(mkdtempSync(join(tmpdir(), 'tributary-')));
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

/**
 * Standard error as a person sees it: lines that stay, and on a terminal one line at the bottom that is written over. Where
 * it is no terminal (a file, a container's log) the bottom line is printed every few seconds instead.
 */
export class Screen {
  readonly #stream: NodeJS.WriteStream;
  #bottom = '';
  #printedAtMs = Number.NEGATIVE_INFINITY;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  line(text: string): void {
    this.#erase();
    this.#stream.write(`${text}\n`);
    this.#draw();
  }

  /** Replaces the bottom line. */
  bottom(text: string): void {
    if (this.#stream.isTTY) {
      this.#erase();
      this.#bottom = text;
      this.#draw();
    } else if (performance.now() - this.#printedAtMs >= plainEveryMs) {
      this.#printedAtMs = performance.now();
      this.#stream.write(`${text}\n`);
    }
  }

  /** Takes the bottom line away. */
  clear(): void {
    this.#erase();
    this.#bottom = '';
  }

  #erase(): void {
    if (this.#bottom !== '') this.#stream.write('\r\x1b[2K');
  }

  #draw(): void {
    if (this.#bottom === '') return;
    this.#stream.write(this.#bottom.slice(0, Math.max(1, (this.#stream.columns ?? 80) - 1)));
  }
}

const plainEveryMs = 5_000;

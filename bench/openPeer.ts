import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Another program that does the same work: it prints a line about itself, then times one turn for each line that names a case, and answers with milliseconds. */
export interface Peer {
  readonly version: string;
  time(name: string): Promise<number>;
  close(): void;
}

/** All run with one thread. */
export async function openPeer(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Peer> {
  const env = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', ...environment };
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => (await lines.next()).value as string;
  return {
    version: await nextLine(),
    async time(name) {
      child.stdin.write(`${name}\n`);
      return Number(await nextLine());
    },
    close: () => child.stdin.end(),
  };
}

import { execFileSync } from 'node:child_process';

/** Process ids of the children of a process, with what they were started as. */
export function childrenOf(pid: number): { pid: number; role: string }[] {
  const lines = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)], { encoding: 'utf8' })
    .trim()
    .split('\n');
  return lines.map((line) => {
    const [, id, args] = /^\s*(\d+)\s+(.*)$/.exec(line)!;
    return { pid: Number(id), role: / (server|aggregator|worker) /.exec(args)?.[1] ?? '' };
  });
}

import { spawnSync } from 'node:child_process';

/** A Python that has torch, such as Debian's with python3-torch; undefined if there is none. */
export function findTorch(): string | undefined {
  return ['python3', '/usr/bin/python3'].find((path) => spawnSync(path, ['-c', 'import torch']).status === 0);
}

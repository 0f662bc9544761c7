import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { jobFile, run, start, temporaryFolder, train } from './tributary.ts';

const flags = ['--steps', '200', '--checkpoint-every', '10', '--lease-ms', '1000'];

/** A disk of 16 MiB, in memory. */
function smallDisk(): string {
  const folder = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch (cause) {
    throw new Error(
      'This test mounts a small disk, and for that it has to run as root (in a container: with CAP_SYS_ADMIN).',
      {
        cause,
      },
    );
  }
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', folder]);
  });
  return folder;
}

/** Takes all that is left of the disk; returns how to give it back. */
function fill(folder: string): () => void {
  const path = join(folder, 'filler');
  const file = openSync(path, 'w');
  for (let bytes = 1 << 20; bytes >= 1; ) {
    try {
      if (writeSync(file, Buffer.alloc(bytes)) < bytes) bytes >>= 1;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      bytes >>= 1;
    }
  }
  closeSync(file);
  return () => rmSync(path);
}

/** Starts a training on a small disk and fills the disk in the middle. */
async function trainAndFill() {
  const disk = smallDisk();
  const running = start([
    'train',
    jobFile('paced'),
    '--runs',
    disk,
    '--json',
    '--print-every',
    '1',
    ...flags,
  ]);
  await running.shows(/^step 30 /m);
  return { disk, running, release: fill(disk) };
}

describe('a disk that is full while checkpoints are written', { timeout: 120_000 }, () => {
  test('ends the training with one clear line, and the checkpoint before can be read', async () => {
    const { disk, running } = await trainAndFill();
    const result = await running.ended;
    expect(result.code).toBe(1);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(
      /^controller: warning: checkpoint at step \d+ could not be written, the one of step \d+ stands: /m,
    );
    const last = result.stderr.trimEnd().split('\n').at(-1);
    expect(last).toMatch(/^error: .*coordinator\.sqlite does not fit on its disk\. Free space, /);
    expect(result.stderr).not.toMatch(/^ +at /m);
    // It went on to the end before it gave up, and did not lose its servers over it.
    expect(result.stderr).not.toContain('a server is gone');

    const file = join(temporaryFolder(), 'kept.safetensors');
    const exported = await run(['export', '--runs', disk, '--to', file]);
    expect(exported.code, exported.stderr).toBe(0);
    expect(exported.stdout).toMatch(/parameters of checkpoint g1-s\d+ \(step \d+\)/);
    expect(decodeSafetensors(readFileSync(file)).flat).toHaveLength(5123);
  });

  test('does no harm if there is space again in time', async () => {
    const { running, release } = await trainAndFill();
    await running.shows(/warning: checkpoint at step \d+ could not be written/);
    release();
    const result = await running.ended;
    expect(result.code, result.stderr).toBe(0);
    const undisturbed = await train([jobFile('blobs'), '--runs', temporaryFolder(), ...flags]);
    expect(JSON.parse(result.stdout).parametersSha256).toBe(undisturbed.parametersSha256);
  });
});

test('a run folder on a full disk is refused with one clear line', async () => {
  const disk = smallDisk();
  fill(disk);
  const result = await run(['train', jobFile('blobs'), '--runs', disk]);
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(/^error: .* does not fit on its disk\. Free space, .*\n$/);
});

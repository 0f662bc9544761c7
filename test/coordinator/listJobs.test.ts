import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listJobs } from '@tributary/coordinator/listJobs.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { exampleRecord, uniqueJobName } from '../support/exampleJob.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-jobs-'));
});

afterAll(() => rm(folder, { recursive: true }));

test.each(['redis', 'sqlite'])('the jobs created at a %s coordinator are listed by name', async (backend) => {
  const url = backend === 'redis' ? inject('redisUrl') : `sqlite:${folder}/coordinator.sqlite`;
  const names = [uniqueJobName(), uniqueJobName(), uniqueJobName()];
  for (const name of names) {
    const coordinator = await openCoordinator(url, name);
    // The last is only looked at, which makes no job.
    if (name !== names[2]) await coordinator.createJob(exampleRecord());
    await coordinator.close();
  }
  // Other tests use the same Redis.
  const listed = (await listJobs(url)).filter((name) => names.includes(name));
  expect(listed).toEqual(names.slice(0, 2).sort());
});

test('a file that is not there is NOT_FOUND, and is not made', async () => {
  const path = join(folder, 'nowhere.sqlite');
  for (let i = 0; i < 2; i++) {
    await expect(listJobs(`sqlite:${path}`)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `there is no coordinator file ${path}`,
    });
  }
});

test.each(['http://localhost:6379', 'sqlite:', 'redis', ''])('"%s" is not a coordinator', async (url) => {
  await expect(openCoordinator(url, 'job')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: `"${url}" is not a coordinator`,
  });
});

test('an address of Redis that cannot be read is not repeated: it may hold a password', async () => {
  const opening = openCoordinator('redis://:secret@ho st:port', 'job');
  await expect(opening).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: 'the address of Redis cannot be read',
  });
});

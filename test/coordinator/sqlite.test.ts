import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { afterAll, beforeAll } from 'vitest';
import { coordinatorLaws } from '../laws/coordinator.laws.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-sqlite-'));
});

afterAll(() => rm(folder, { recursive: true }));

coordinatorLaws('sqlite', (job) =>
  openCoordinator(`sqlite:${folder}/made/if missing/coordinator.sqlite`, job),
);

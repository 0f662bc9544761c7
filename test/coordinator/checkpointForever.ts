/** A process that writes one checkpoint after the other until it is killed: PATH. Prints a line after the first. */
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { pseudoRandomBytes, writeChunks } from '../support/exampleCheckpoint.ts';

const coordinator = await openCoordinator(`sqlite:${process.argv[2]}`, 'job');
const fence = (await coordinator.acquireLease('controller', 'a', 60_000))!;
const chunks = [pseudoRandomBytes(1 << 20), pseudoRandomBytes(1 << 20, 2)];
for (let step = 1; ; step++) {
  const manifest = await writeChunks(coordinator.checkpoints, `s${step}`, chunks, { step });
  await coordinator.checkpoints.commit(manifest, fence);
  await coordinator.checkpoints.retain(2, []);
  if (step === 1) console.log('committed');
}

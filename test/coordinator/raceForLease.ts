/** A process that takes and gives back one lease again and again: PATH HOLDER TURNS. Prints its turns as JSON. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';

const [path, holder, count] = process.argv.slice(2);
const coordinator = await openCoordinator(`sqlite:${path}`, 'job');
const turns = [];
while (turns.length < Number(count)) {
  const lease = await coordinator.acquireLease('x', holder, 60_000);
  if (lease === undefined) {
    await sleep(1);
    continue;
  }
  const tookAtMs = preciseNowMs();
  await coordinator.renewLease(lease, 60_000);
  turns.push({ token: lease.token, tookAtMs, gaveBackAtMs: preciseNowMs() });
  await coordinator.releaseLease(lease);
}
await coordinator.close();
console.log(JSON.stringify(turns));

/** The monotonic clock, which all processes of a machine share. */
function preciseNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

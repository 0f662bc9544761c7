import { once } from 'node:events';
import { connect } from 'node:http2';
import { limits } from '@tributary/core/limits/limits.ts';
import { expect, onTestFinished, test } from 'vitest';
import { TestCluster, testSpec } from '../server/testCluster.ts';

test('a server takes as much without an acknowledgement as limits say, on a stream and on a connection', async () => {
  const cluster = await TestCluster.start(testSpec(), 1);
  const session = connect(`http://${cluster.servers[0].address}`);
  onTestFinished(() => session.destroy());
  const [settings] = await once(session, 'remoteSettings');
  expect(settings.initialWindowSize).toBe(limits.windowBytes);
  await expect.poll(() => session.state.remoteWindowSize).toBeGreaterThanOrEqual(limits.windowBytes);
});

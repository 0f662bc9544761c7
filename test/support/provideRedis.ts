import { RedisProcess } from './RedisProcess.ts';

export interface TestRedis {
  readonly url: string;
  /** In words, where it is from. */
  readonly from: string;
  readonly stop: () => Promise<void>;
}

const image = 'redis:7-alpine';
const engineAnswersMs = 5_000;
const imagePulledMs = 60_000;

/** The REDIS_URL given, else a container, else a process of redis-server, which is installed if need be. */
export async function provideRedis(): Promise<TestRedis> {
  const given = process.env.REDIS_URL;
  if (given) return { url: given, from: 'REDIS_URL', stop: async () => {} };
  return (await startContainer()) ?? startProcess();
}

async function startContainer(): Promise<TestRedis | undefined> {
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  try {
    await within(engineAnswersMs, getContainerRuntimeClient());
  } catch {
    return undefined;
  }
  try {
    const container = await within(imagePulledMs, new GenericContainer(image).withExposedPorts(6379).start());
    return {
      url: `redis://${container.getHost()}:${container.getMappedPort(6379)}`,
      from: `a container of ${image}`,
      stop: async () => {
        await container.stop();
      },
    };
  } catch (error) {
    console.log(`a container engine answers, but ${image} cannot be had: ${(error as Error).message}`);
    return undefined;
  }
}

async function startProcess(): Promise<TestRedis> {
  const redis = await RedisProcess.start();
  return { url: redis.url, from: `${redis.binary} on port ${redis.port}`, stop: () => redis.stop() };
}

async function within<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs / 1000} s`)), deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

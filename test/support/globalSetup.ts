import type { TestProject } from 'vitest/node';
import { provideRedis } from './provideRedis.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A real Redis that all test files share; each takes job names of its own. */
    redisUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = await provideRedis();
  console.log(`Redis of the tests: ${redis.from}`);
  project.provide('redisUrl', redis.url);
  return redis.stop;
}

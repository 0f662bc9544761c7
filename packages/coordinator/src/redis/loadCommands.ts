import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

/** One Lua file of commands/ each; its head comment says its keys, arguments and result. */
const commandNames = [
  'join',
  'members',
  'acquireLease',
  'renewLease',
  'releaseLease',
  'leases',
  'replacePlacement',
  'createJob',
  'writeJob',
  'appendMetrics',
  'putChunk',
  'commitCheckpoint',
  'retainCheckpoints',
] as const;

export type CommandName = (typeof commandNames)[number];
export type CommandArgument = string | number | Buffer;

type Command = (keyCount: number, ...keysAndArguments: CommandArgument[]) => Promise<unknown>;

/** Gives the client a method per Lua file; ioredis sends the text once per connection and its hash from then on. */
export function loadCommands(redis: Redis): Record<CommandName, Command> {
  const shared = readCommand('shared');
  for (const name of commandNames) redis.defineCommand(name, { lua: `${shared}\n${readCommand(name)}` });
  return redis as unknown as Record<CommandName, Command>;
}

function readCommand(name: string): string {
  return readFileSync(new URL(`./commands/${name}.lua`, import.meta.url), 'utf8');
}

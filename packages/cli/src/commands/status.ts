import { Command } from 'commander';
import type { status } from '../actions/status.ts';
import { flags } from './flags.ts';

export function statusCommand(): Command {
  return new Command('status')
    .summary('what a job is doing: progress, members, shards, ranks, checkpoints')
    .addOption(flags.coordinator())
    .addOption(flags.job())
    .addOption(flags.run())
    .addOption(flags.runs())
    .addOption(flags.json())
    .addHelpText(
      'after',
      `
Examples:
  tributary status
  tributary status --coordinator redis://localhost:6379
  tributary status --coordinator redis://localhost:6379 --job digits --json`,
    )
    .action(async (...args: Parameters<typeof status>) =>
      (await import('../actions/status.ts')).status(...args),
    );
}

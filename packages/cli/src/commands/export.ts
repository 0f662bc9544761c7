import { Command } from 'commander';
import type { exportParameters } from '../actions/export.ts';
import { parameterFlags } from './parameterFlags.ts';

export function exportCommand(): Command {
  const command = new Command('export')
    .summary('write trained parameters as a safetensors file')
    .requiredOption('--to <file>', 'the file to write');
  for (const option of parameterFlags()) command.addOption(option);
  return command
    .addHelpText(
      'after',
      `
Any safetensors reader opens the file, such as safetensors.torch.load_file in Python.

Examples:
  tributary export --to model.safetensors
  tributary export --run runs/mnist-20260101-120000-ab12 --to model.safetensors`,
    )
    .action(async (...args: Parameters<typeof exportParameters>) =>
      (await import('../actions/export.ts')).exportParameters(...args),
    );
}

import { writeFileSync } from 'node:fs';
import { encodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { Command } from 'commander';
import { loadParameters, type ParameterSource } from '../parameters/loadParameters.ts';
import { parameterHash } from '../parameters/parameterHash.ts';
import { parameterFlags } from './parameterFlags.ts';

interface ExportFlags extends ParameterSource {
  readonly to: string;
}

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
    .action(exportParameters);
}

async function exportParameters(given: ExportFlags): Promise<void> {
  const { layout, flat, description } = await loadParameters(given, undefined);
  writeFileSync(given.to, encodeSafetensors(layout, flat));
  process.stdout.write(
    `${given.to}: ${layout.tensors.length} tensors, ${layout.length} parameters of ${description}, sha-256 ${parameterHash(flat)}\n`,
  );
}

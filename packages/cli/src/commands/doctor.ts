import { Command } from 'commander';
import type { doctor } from '../actions/doctor.ts';
import { flags } from './flags.ts';

export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('what this machine has, and which launch settings are on')
    .description(
      'Checks what a server or worker on this machine would run with: Node, the SIMD kernels, the compute backend, the launch settings, and a coordinator if one is given.',
    )
    .addOption(flags.coordinator())
    .addOption(flags.json())
    .addHelpText(
      'after',
      `
Exits with 1 if something is broken; a setting that is off is no fault.

Examples:
  tributary doctor
  tributary doctor --coordinator redis://10.0.0.5:6379`,
    )
    .action(async (...args: Parameters<typeof doctor>) =>
      (await import('../actions/doctor.ts')).doctor(...args),
    );
}

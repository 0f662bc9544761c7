import { nearestName } from '@tributary/core/errors/nearestName.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { describeJobOptions, type OptionValues } from '@tributary/worker/job/JobOptions.ts';
import { loadJobOptions } from '@tributary/worker/job/loadJob.ts';
import type { Command } from 'commander';

/**
 * Values of the job's options among the arguments of a command whose first is the job file: `--model cnn`, `--learning-rate=0.01`, `--deep`. The command
 * must allow unknown options: only the job file knows these. Throws INVALID_ARGUMENT for what is neither a flag of the command nor an option of the job.
 */
export async function jobOptions(path: string, command: Command): Promise<OptionValues> {
  const declared = await loadJobOptions(path);
  const flags = command.options.map(({ long }) => long ?? '');
  const clash = Object.keys(declared).find((name) => flags.includes(flagOf(name)));
  if (clash !== undefined) {
    throw new TributaryError('INVALID_ARGUMENT', `${path} has an option "${clash}"`, {
      hint: `Give it another name: ${flagOf(clash)} is a flag of tributary ${command.name()}.`,
    });
  }
  const given = parseFlags(command.args.slice(1));
  for (const flag of given.keys()) {
    const known = Object.keys(declared).map(flagOf);
    if (known.includes(flag)) continue;
    const nearest = nearestName(flag, [...flags, ...known]);
    const suggestion = nearest === undefined ? '' : `Did you mean ${nearest}? `;
    throw new TributaryError('INVALID_ARGUMENT', `unknown option '${flag}'`, {
      hint: `${suggestion}--help shows the flags of the command. ${describeJobOptions(declared)}`,
    });
  }
  const names = Object.keys(declared).filter((name) => given.has(flagOf(name)));
  return Object.fromEntries(names.map((name) => [name, given.get(flagOf(name))!]));
}

/** Flags with their values, `true` where none follows. */
function parseFlags(args: readonly string[]): Map<string, string> {
  const given = new Map<string, string>();
  for (let index = 0; index < args.length; index++) {
    const [, flag, value] = /^(--[^=]+)(?:=(.*))?$/s.exec(args[index]) ?? [];
    if (flag === undefined) {
      throw new TributaryError('INVALID_ARGUMENT', `unexpected argument '${args[index]}'`, {
        hint: 'The job file comes first, then flags.',
      });
    }
    const next = args[index + 1];
    if (value !== undefined) given.set(flag, value);
    else if (next === undefined || next.startsWith('--')) given.set(flag, 'true');
    else given.set(flag, args[++index]);
  }
  return given;
}

/** `learningRate` is said as `--learning-rate`. */
function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

import { readFileSync } from 'node:fs';
import { asTributaryError, TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { CommanderError } from 'commander';
import { exitCodeOf, exitCodes } from './exitCodes.ts';
import { createProgram } from './program.ts';

/** Runs one command and sets the exit code. Every operating error ends as one line on standard error. */
export async function run(argv: readonly string[]): Promise<void> {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  try {
    await createProgram(version).parseAsync(argv);
    // Servers and threads that are still winding down must not keep a finished command alive.
    process.exit(process.exitCode ?? exitCodes.done);
  } catch (error) {
    if (error instanceof CommanderError)
      process.exit(error.exitCode === 0 ? exitCodes.done : exitCodes.refused);
    const known = asTributaryError(error);
    process.stderr.write(`error: ${known.line}\n`);
    // A defect of the program, not of its input: say where.
    if (!(error instanceof TributaryError) && error instanceof Error)
      process.stderr.write(`${error.stack}\n`);
    process.exit(exitCodeOf(known.code));
  }
}

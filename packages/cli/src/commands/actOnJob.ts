import type { OptionValues } from '@tributary/worker/job/JobOptions.ts';
import type { Command } from 'commander';

type Action<Flags> = (path: string, given: Flags & { readonly options: OptionValues }) => Promise<void>;

/** Sets the action of a command whose argument is a job file. The options that the file declares are flags of the command too. */
export function actOnJob<Flags extends object>(
  command: Command,
  load: () => Promise<Action<Flags>>,
): Command {
  return command
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (path: string, given: Flags, self: Command) => {
      const { jobOptions } = await import('../parameters/jobOptions.ts');
      const act = await load();
      await act(path, { ...given, options: await jobOptions(path, self) });
    });
}

import { Command } from 'commander';
import { aggregatorCommand } from './commands/aggregator.ts';
import { compareCommand } from './commands/compare.ts';
import { controllerCommand } from './commands/controller.ts';
import { doctorCommand } from './commands/doctor.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { exportCommand } from './commands/export.ts';
import { predictCommand } from './commands/predict.ts';
import { serverCommand } from './commands/server.ts';
import { statusCommand } from './commands/status.ts';
import { trainCommand } from './commands/train.ts';
import { tuneCommand } from './commands/tune.ts';
import { workerCommand } from './commands/worker.ts';

/** The `tributary` command with all its subcommands. */
export function createProgram(version: string): Command {
  const program = new Command('tributary')
    .version(version)
    .exitOverride()
    .description('A distributed parameter server in TypeScript.')
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: false })
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 failed on the way, 2 refused (wrong flags, job file or data), 130 stopped by Ctrl-C.

Examples:
  tributary train examples/mnist/job.ts          train on 2 servers and 2 workers
  tributary evaluate examples/mnist/job.ts       loss and accuracy of the newest run
  tributary status                               what the newest run is doing`,
    );
  for (const create of [
    trainCommand,
    evaluateCommand,
    predictCommand,
    exportCommand,
    statusCommand,
    compareCommand,
    tuneCommand,
    controllerCommand,
    serverCommand,
    workerCommand,
    aggregatorCommand,
    doctorCommand,
  ]) {
    program.addCommand(create().exitOverride().showHelpAfterError('(--help shows what is possible)'));
  }
  return program;
}

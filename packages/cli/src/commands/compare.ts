import { Command, Option } from 'commander';
import { actOnJob } from './actOnJob.ts';
import { positiveNumber, trialFlags, wholeNumber } from './flags.ts';

export function compareCommand(): Command {
  const command = new Command('compare')
    .argument('<job>', 'the job file')
    .summary('train a job by several methods under one budget, and say which to take')
    .description(
      'Trains the model of the job file by each method and with several seeds, one after another, on a cluster of local processes under the same budget. Leaves a folder with one HTML report (table, curves, choice), the numbers as JSON, and a run folder for each training.',
    )
    .addOption(
      new Option(
        '--methods <list>',
        'names, options in brackets: "sgd(learningRate=0.1),adam,newton-cg"; besides the options of a method also batchSize and sampling',
      ).makeOptionMandatory(),
    )
    .addOption(
      new Option(
        '--budget-passes <n>',
        "passes over the data, for each training (default: the job's own length)",
      )
        .argParser(positiveNumber)
        .conflicts('budgetSeconds'),
    )
    .addOption(new Option('--budget-seconds <s>', 'seconds of training instead').argParser(positiveNumber))
    .addOption(new Option('--seeds <n>', 'trainings of each method').argParser(wholeNumber(1)).default(3))
    .addOption(
      new Option(
        '--target-loss <loss>',
        'what "to target" means (default: the final loss of the method in the middle)',
      ).argParser(positiveNumber),
    )
    .option(
      '--tune',
      'first search learning rates that nobody chose, from a hundredth to a hundred times the default',
    );
  for (const option of trialFlags(['seed', 'ranks', 'batchSize', 'startFrom'])) command.addOption(option);
  return actOnJob(
    command.addHelpText(
      'after',
      `
The method of the job keeps the job's options, others have their defaults unless said, or with --tune a learning rate from nine.
Methods that compute whole steps (newton, newton-cg, lbfgs) see all of the data at each, kfac what the job sees. Evaluations count in no budget.
A method that cannot train the model is a row with its reason. Ctrl-C reports the trainings that are complete, and exits with 130.

Examples:
  tributary compare examples/mnist/job.ts --methods "sgd(learningRate=0.1),adam,lbfgs" --budget-passes 5
  tributary compare job.ts --methods adam,newton-cg --budget-seconds 60 --seeds 5
  tributary compare job.ts --methods "adam(learningRate=1e-3),adam(learningRate=1e-2)" --json > compare.json`,
    ),
    async () => (await import('../actions/compare.ts')).compare,
  );
}

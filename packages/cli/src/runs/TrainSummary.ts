import type { Origin } from '../parameters/beginFrom.ts';
import { bytes, duration, number, percent } from '../progress/progressText.ts';
import { summaryTable } from '../progress/summaryTable.ts';

/** What a training came to: summary.json, and what `--json` prints. */
export interface TrainSummary {
  readonly run: string;
  readonly state: 'finished' | 'stopped';
  readonly job: string;
  /** Of the job file, if it leaves any open. */
  readonly options?: Readonly<Record<string, string | number | boolean>>;
  /** Trained parameters that the run started from. */
  readonly startedFrom?: Origin;
  readonly seed: number;
  /** That every rank has done, also in earlier parts of a resumed run. */
  readonly steps: number;
  readonly epochs: number;
  /** Over the training data: examples whose loss, gradient or product was computed, for as many as there are. Of this part of a resumed run. */
  readonly passes: number;
  readonly ranks: number;
  /** Of one rank. */
  readonly batchSize: number;
  /** Of a job that adapts its batch: updates made, and the examples that one took in the end. Of this part of a resumed run. */
  readonly batch?: { readonly updates: number; readonly examples: number };
  /** Of quantum steps by QAOA, in this part of a resumed run: blocks solved, the mean of their approximation ratios, and in how many the best measurement was the optimum. */
  readonly qaoa?: { readonly blocks: number; readonly approximationRatio: number; readonly optima: number };
  readonly workers: number;
  readonly servers: number;
  readonly coordinator: string;
  readonly staleness: number | 'infinity';
  readonly optimizer: string;
  readonly hyperparameters: Readonly<Record<string, number | boolean | string>>;
  /** The backend that the workers took. */
  readonly compute: string;
  /** What carried gradients and parameters. */
  readonly transport: string;
  readonly parameters: number;
  /** Names of the encodings of gradients, and of parameters on their way to the workers. */
  readonly encoding: string;
  readonly pullEncoding: string;
  /** Of the final parameters, on the data that `evaluatedOn` names. */
  readonly loss: number;
  readonly accuracy: number | null;
  readonly evaluatedOn: 'test' | 'train';
  /** From the placement of the ranks to the last step, and all before that. */
  readonly trainMs: number;
  readonly setupMs: number;
  readonly samplesPerSecond: number;
  /** Payload that the workers sent: gradients, and vectors to be summed. Of this part of a resumed run. */
  readonly pushedBytes: number;
  /** Payload that the workers received: parameters, and sums. */
  readonly pulledBytes: number;
  /** The sum of what each server and worker process took at most, resident; what a training before left in them counts. */
  readonly memoryBytes: number;
  /** The trained parameters: a safetensors file. */
  readonly checkpoint: string;
  readonly parametersSha256: string;
}

export function describeSummary(summary: TrainSummary, folder: string): string {
  const { servers, workers, ranks, batchSize, staleness, evaluatedOn, accuracy } = summary;
  const rows: [string, string][] = [
    ['state', `${summary.state} after ${summary.steps} steps (${summary.epochs.toFixed(1)} epochs)`],
    ...optionRows(summary),
    ...(summary.startedFrom === undefined ? [] : [startRow(summary.startedFrom)]),
    [
      'cluster',
      `${servers} servers, ${workers} workers, ${ranks} ranks x ${batchSize} examples, staleness ${staleness}`,
    ],
    [
      'method',
      `${summary.optimizer}, ${summary.parameters.toLocaleString('en-US')} parameters, ${summary.compute} compute, ${summary.transport} transport`,
    ],
    ...(summary.batch === undefined ? [] : [batchRow(summary.batch)]),
    ...(summary.qaoa === undefined ? [] : [qaoaRow(summary.qaoa)]),
    [`${evaluatedOn} loss`, number(summary.loss)],
  ];
  if (accuracy !== null) rows.push([`${evaluatedOn} accuracy`, percent(accuracy)]);
  const { trainMs, setupMs, samplesPerSecond } = summary;
  rows.push(
    [
      'time',
      `${duration(trainMs)} of training after ${duration(setupMs)} of setting up, ${samplesPerSecond.toLocaleString('en-US')} samples/s`,
    ],
    ['used', `${summary.passes.toFixed(1)} passes over the data, ${bytes(summary.memoryBytes)} of memory`],
    [
      'traffic',
      `${bytes(summary.pushedBytes)} pushed as ${summary.encoding}, ${bytes(summary.pulledBytes)} pulled as ${summary.pullEncoding}`,
    ],
    ['sha-256', summary.parametersSha256],
    ['run folder', folder],
  );
  return summaryTable(rows);
}

function batchRow({ updates, examples }: NonNullable<TrainSummary['batch']>): [string, string] {
  return ['batch', `${updates} updates, of ${examples.toLocaleString('en-US')} examples in the end`];
}

function qaoaRow({
  blocks,
  approximationRatio,
  optima,
}: NonNullable<TrainSummary['qaoa']>): [string, string] {
  const found = `the optimum of ${percent(optima / blocks)} of ${blocks.toLocaleString('en-US')} blocks`;
  return ['qaoa', `approximation ratio ${approximationRatio.toFixed(3)}, and found ${found}`];
}

function startRow({ from, taken, reinitialised, unused }: Origin): [string, string] {
  const counts = `${taken.length} tensors taken, ${reinitialised.length} new, ${unused.length} not used`;
  return ['started from', `${from}: ${counts}`];
}

function optionRows({ options }: TrainSummary): [string, string][] {
  if (options === undefined) return [];
  const values = Object.entries(options).map(([name, value]) => `${name} ${value}`);
  return [['options', values.join(', ')]];
}

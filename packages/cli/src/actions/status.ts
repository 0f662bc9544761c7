import { assertJob } from '@tributary/coordinator/assertJob.ts';
import type { Coordinator, MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { listJobs } from '@tributary/coordinator/listJobs.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { readAllMetrics } from '@tributary/coordinator/readAllMetrics.ts';
import { number, percent } from '../progress/progressText.ts';
import { summaryTable } from '../progress/summaryTable.ts';
import { RunFolder } from '../runs/RunFolder.ts';

export interface StatusFlags {
  readonly coordinator?: string;
  readonly job?: string;
  readonly run?: string;
  readonly runs: string;
  readonly json?: boolean;
}

export async function status(given: StatusFlags): Promise<void> {
  if (given.coordinator !== undefined && given.job === undefined)
    return showAll(given.coordinator, given.json === true);
  const { coordinator, job } =
    given.coordinator !== undefined
      ? { coordinator: given.coordinator, job: given.job! }
      : (given.run === undefined
          ? RunFolder.newest(given.runs, undefined)
          : RunFolder.open(given.run)
        ).config();
  await assertJob(coordinator, job);
  print(await stateOf(coordinator, job), given.json === true, describe);
}

/** All jobs of a coordinator; as JSON still one object. */
async function showAll(url: string, json: boolean): Promise<void> {
  const jobs: State[] = [];
  for (const job of await listJobs(url)) jobs.push(await stateOf(url, job));
  print({ jobs }, json, () => (jobs.length === 0 ? 'no jobs' : jobs.map(describe).join('\n\n')));
}

function print<T>(value: T, json: boolean, describe: (value: T) => string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : describe(value)}\n`);
}

async function stateOf(url: string, job: string): Promise<State> {
  const coordinator = await openCoordinator(url, job);
  try {
    return await gather(coordinator);
  } finally {
    await coordinator.close();
  }
}

type State = Awaited<ReturnType<typeof gather>>;

async function gather(coordinator: Coordinator) {
  const [record, members, placement, leases, checkpoints, metrics] = await Promise.all([
    coordinator.jobRecord(),
    coordinator.members(),
    coordinator.placement(),
    coordinator.leases(),
    coordinator.checkpoints.list(),
    lastMetrics(coordinator),
  ]);
  return {
    job: coordinator.job,
    coordinator: coordinator.url,
    state: record?.state ?? 'unknown',
    error: record?.error ?? '',
    endStep: record?.endStep ?? 0,
    ...metrics,
    members,
    placement: placement ?? null,
    leases,
    checkpoints: checkpoints.map(({ id, step, bytes, createdAtMs }) => ({ id, step, bytes, createdAtMs })),
  };
}

async function lastMetrics(coordinator: Coordinator) {
  let step: (MetricEntry & { kind: 'step' }) | undefined;
  let evaluation: (MetricEntry & { kind: 'evaluation' }) | undefined;
  await readAllMetrics(coordinator, '', (entry) => {
    if (entry.kind === 'step') step = entry;
    if (entry.kind === 'evaluation') evaluation = entry;
  });
  return { step: step ?? null, evaluation: evaluation ?? null };
}

/** A job whose processes were all killed had nobody left to say so. */
function stateText({ state, error, members }: State): string {
  if (state === 'running' && members.length === 0)
    return 'interrupted: its processes are gone; train --resume goes on from the newest checkpoint';
  return error === '' ? state : `${state}: ${error}`;
}

function describe(state: State): string {
  const { placement, step, evaluation } = state;
  const shards =
    placement?.shards.map((shard, index) => `${index}: [${shard.begin}, ${shard.end}) at ${shard.address}`) ??
    [];
  const holders = new Map<string, number[]>();
  placement?.ranks.forEach((worker, rank) => {
    holders.set(worker, [...(holders.get(worker) ?? []), rank]);
  });
  const accuracy =
    evaluation?.accuracy == null
      ? ''
      : `, accuracy ${percent(evaluation.accuracy)} at step ${evaluation.step}`;
  const rows: [string, string][] = [
    ['job', `${state.job} at ${state.coordinator}`],
    ['state', stateText(state)],
    [
      'progress',
      step === null
        ? 'no step yet'
        : `step ${step.step + 1}/${state.endStep}, loss ${number(step.loss)}${accuracy}`,
    ],
    ...state.members.map((member): [string, string] => [
      member.role,
      `${member.id}${member.address === '' ? '' : ` at ${member.address}`}`,
    ]),
    ...shards.map((shard): [string, string] => ['shard', shard]),
    ...[...holders].map(([worker, ranks]): [string, string] => ['ranks', `${ranks.join(' ')}: ${worker}`]),
    ...state.checkpoints.map(({ id, step: at, bytes }): [string, string] => [
      'checkpoint',
      `${id}: step ${at}, ${bytes} bytes`,
    ]),
  ];
  return summaryTable(rows);
}

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
  if (given.coordinator !== undefined) {
    const jobs = given.job === undefined ? await listJobs(given.coordinator) : [given.job];
    for (const job of jobs) await show(given.coordinator, job, given.json === true);
    if (jobs.length === 0) process.stdout.write(`no jobs at ${given.coordinator}\n`);
    return;
  }
  const config = (
    given.run === undefined ? RunFolder.newest(given.runs, undefined) : RunFolder.open(given.run)
  ).config();
  await show(config.coordinator, config.job, given.json === true);
}

async function show(url: string, job: string, json: boolean): Promise<void> {
  const coordinator = await openCoordinator(url, job);
  try {
    const state = await gather(coordinator);
    process.stdout.write(json ? `${JSON.stringify(state)}\n` : `${describe(state)}\n`);
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
    ['state', state.error === '' ? state.state : `${state.state}: ${state.error}`],
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

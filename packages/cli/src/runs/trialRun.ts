import type { ClusterFlags } from '../launcher/LocalCluster.ts';
import type { PreparedJob } from '../parameters/prepareJob.ts';
import type { RunFolder } from './RunFolder.ts';
import type { TrainingRun } from './runTraining.ts';

/** A training that is one of many: its folder lies in that of the whole, and has a coordinator of its own. */
export async function trialRun(
  folder: RunFolder,
  id: string,
  prepared: PreparedJob,
  { servers, workers }: ClusterFlags,
): Promise<TrainingRun> {
  const { spec, file } = prepared;
  const { origin } = await prepared.begin();
  const config = {
    ...{ id, job: 'trial', jobName: spec.name, jobFile: file },
    coordinator: `sqlite:${folder.file('coordinator.sqlite')}`,
    ...{ servers, workers, overrides: {}, spec },
    ...(origin && { startedFrom: origin }),
  };
  return { folder, config, prepared };
}

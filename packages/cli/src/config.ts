import { workerEnvironment } from '@tributary/worker/compute/workerEnvironment.ts';

/** The environment of the processes of a local cluster: ours, and what makes computing faster; what the user has set stands. */
export const childEnvironment: NodeJS.ProcessEnv = { ...workerEnvironment, ...process.env };

import { launchEnvironment, missingSettings } from './launcher/launchSettings.ts';

/** The environment of the processes of a local cluster: ours, and what makes them faster; what the user has set stands. */
export const childEnvironment: NodeJS.ProcessEnv = { ...launchEnvironment, ...process.env };

/** The launch settings that this process was started without. */
export const missingHere = missingSettings(process.env, process.execArgv);

/** The flags of Node of the processes of a local cluster: ours, and the launch settings that we lack. */
export const childFlags: readonly string[] = [
  ...process.execArgv,
  ...missingHere.flatMap(({ set }) => ('flag' in set ? [set.flag] : [])),
];

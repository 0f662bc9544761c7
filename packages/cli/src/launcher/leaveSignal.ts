import { exitCodes } from '../exitCodes.ts';

/**
 * When a process of a cluster is to leave: SIGTERM, or Ctrl-C; a second Ctrl-C ends it at once. A managed one (started by
 * `tributary train`) leaves Ctrl-C, which the terminal sends to all, to its parent to handle, and leaves when its parent is gone.
 */
export function leaveSignal(managed: boolean): AbortSignal {
  const leave = new AbortController();
  process.on('SIGTERM', () => leave.abort());
  process.on('SIGINT', () => {
    if (managed) return;
    if (leave.signal.aborted) process.exit(exitCodes.interrupted);
    leave.abort();
  });
  if (managed) process.on('disconnect', () => leave.abort());
  return leave.signal;
}

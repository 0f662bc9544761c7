/**
 * When a process of a cluster is to leave: SIGTERM, or Ctrl-C. A managed one (started by `tributary train`) leaves Ctrl-C, which the
 * terminal sends to all, to its parent to handle, and leaves when its parent is gone.
 */
export function leaveSignal(managed: boolean): AbortSignal {
  const leave = new AbortController();
  process.on('SIGTERM', () => leave.abort());
  if (!managed) process.on('SIGINT', () => leave.abort());
  else {
    process.on('SIGINT', () => {});
    process.on('disconnect', () => leave.abort());
  }
  return leave.signal;
}

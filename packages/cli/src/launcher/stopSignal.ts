import { exitCodes } from '../exitCodes.ts';

/** Ctrl-C asks for a clean end, which `onFirst` announces; a second one leaves at once, and the children with it. */
export function stopSignal(onFirst: () => void): AbortSignal {
  const stop = new AbortController();
  process.on('SIGTERM', () => stop.abort());
  process.on('SIGINT', () => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    onFirst();
    stop.abort();
  });
  return stop.signal;
}

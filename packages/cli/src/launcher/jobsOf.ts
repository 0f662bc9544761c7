/** Where a cluster agrees about a job. */
export interface JobPlace {
  /** Its URL. */
  readonly coordinator: string;
  readonly job: string;
}

/** A job to take part in, until it ends or `stop` is aborted. */
export interface TakenJob extends JobPlace {
  readonly stop: AbortSignal;
}

/** What a launcher tells the processes that it started. Each answers, with any message, once it has left the job. */
export type LauncherMessage = ({ readonly kind: 'begin' } & JobPlace) | { readonly kind: 'end' };

/** The jobs of a process, one after the other: the one that its flags name, or those that its launcher gives it. None more once `leave` is aborted. */
export async function* jobsOf(
  given: JobPlace & { readonly managed?: boolean },
  leave: AbortSignal,
): AsyncGenerator<TakenJob> {
  if (given.managed) yield* jobsOfLauncher(leave);
  else yield { ...given, stop: leave };
}

async function* jobsOfLauncher(leave: AbortSignal): AsyncGenerator<TakenJob> {
  let ending = new AbortController();
  let next = Promise.withResolvers<TakenJob | undefined>();
  process.on('message', (message: LauncherMessage) => {
    if (message.kind === 'end') ending.abort();
    else {
      ending = new AbortController();
      next.resolve({ ...message, stop: AbortSignal.any([leave, ending.signal]) });
    }
  });
  leave.addEventListener('abort', () => next.resolve(undefined));
  for (;;) {
    const job = await next.promise;
    if (job === undefined || leave.aborted) return;
    next = Promise.withResolvers();
    yield job;
    // The launcher may be gone: then there is no next job, and nobody to tell.
    process.send?.('left', undefined, undefined, () => {});
  }
}

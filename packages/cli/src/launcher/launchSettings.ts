/**
 * What a process must be started with to move large vectors at full speed: the C library and V8 read these once, at the start. `tributary train` starts its
 * servers and workers with them; a process that was started by hand says which are off.
 */
export interface LaunchSetting {
  /** For people. */
  readonly name: string;
  /** An environment variable, or a flag of Node. */
  readonly set: { readonly variable: string; readonly value: string } | { readonly flag: string };
  /** What it is for, measured on a virtual machine of two cores. */
  readonly why: string;
}

export const launchSettings: readonly LaunchSetting[] = [
  {
    name: 'malloc keeps large blocks',
    set: { variable: 'MALLOC_MMAP_THRESHOLD_', value: String(8 * 2 ** 30) },
    // onnxruntime returns every result in fresh memory. glibc takes large blocks from the system and gives them back at once, so that every step touches each
    // page of the gradient for the first time. The price is that resident memory stays at its peak. Other C libraries ignore the variable.
    why: 'a gradient of 40 MB takes 12 ms instead of 155 ms',
  },
  {
    name: 'malloc keeps freed memory',
    set: { variable: 'MALLOC_TRIM_THRESHOLD_', value: String(16 * 2 ** 30) },
    why: 'goes with the one before',
  },
  {
    name: 'malloc in huge pages',
    set: { variable: 'GLIBC_TUNABLES', value: 'glibc.malloc.hugetlb=1' },
    why: 'a new buffer costs a page fault for every 2 MB instead of every 4 kB',
  },
  {
    name: 'buffers count with the heap',
    set: { flag: '--external-memory-accounted-in-global-limit' },
    // V8 otherwise collects all garbage each time that some 30 MB of buffers were made, which is what the network does in every step.
    why: 'half the time of a step went into collecting garbage',
  },
  {
    name: 'a heap large enough for that',
    set: { flag: '--initial-heap-size=128' },
    why: 'goes with the one before',
  },
];

/** Those that a process with this environment and these flags was started without. */
export function missingSettings(
  environment: Readonly<Record<string, string | undefined>>,
  flags: readonly string[],
): LaunchSetting[] {
  return launchSettings.filter(({ set }) => {
    if ('variable' in set) return environment[set.variable] === undefined;
    const [name] = set.flag.split('=');
    return !flags.some((flag) => flag.split('=')[0] === name);
  });
}

/** The command line, up to what Node is to run, that sets all of them. */
export function launchCommand(): string {
  const variables = launchSettings.flatMap(({ set }) =>
    'variable' in set ? [`${set.variable}=${set.value}`] : [],
  );
  const flags = launchSettings.flatMap(({ set }) => ('flag' in set ? [set.flag] : []));
  return [...variables, 'node', ...flags].join(' ');
}

export const launchEnvironment: Readonly<Record<string, string>> = Object.fromEntries(
  launchSettings.flatMap(({ set }) => ('variable' in set ? [[set.variable, set.value]] : [])),
);

/** The clock of traces: monotonic within a process, and within some ten microseconds the same for all processes and threads of a machine. */
export function traceClock(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}

/** Lines of a process on standard error; `tributary train` shows those that are not `info`. */
export function processLog(level: 'info' | 'warning' | 'error', message: string): void {
  process.stderr.write(`${level}: ${message}\n`);
}

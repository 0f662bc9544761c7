import { processLog } from '../actions/processLog.ts';
import { missingHere } from '../config.ts';

/** One line of a server or worker that was started by hand without the settings that make it fast. */
export function tellMissingSettings(): void {
  if (missingHere.length === 0) return;
  const names = missingHere.map(({ name }) => name).join(', ');
  processLog(
    'warning',
    `started without launch settings (${names}): steps of large models may take twice as long; \`tributary doctor\` shows the command line that has them`,
  );
}

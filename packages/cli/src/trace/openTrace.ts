import { processLog } from '../actions/processLog.ts';
import { TraceFile } from './TraceFile.ts';
import { processOf } from './TraceParts.ts';

/** The trace of a server or worker, if one is asked for. One that `tributary train` started is named by the file that it is given. */
export function openTrace(
  { trace, managed }: { readonly trace?: string; readonly managed?: boolean },
  memberId: string,
): TraceFile | undefined {
  if (trace === undefined) return undefined;
  return new TraceFile(trace, managed ? processOf(trace) : memberId, (message) =>
    processLog('warning', message),
  );
}

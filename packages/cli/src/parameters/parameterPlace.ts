import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { RunFolder } from '../runs/RunFolder.ts';

/** Where trained parameters are to come from; the first that is given. */
export interface ParameterSource {
  /** A safetensors or ONNX file, a run folder, or COORDINATOR#JOB. */
  readonly from?: string;
  /** A job at a coordinator. */
  readonly coordinator?: string;
  readonly job?: string;
  /** A run folder; if not given, the newest one in `runs`. */
  readonly run?: string;
  readonly runs: string;
}

/** As loadParameters takes it. Throws NOT_FOUND if there is no such run. */
export function parameterPlace(source: ParameterSource, jobName: string | undefined): string {
  if (source.from !== undefined) return source.from;
  if (source.coordinator !== undefined) {
    if (source.job === undefined && jobName === undefined) {
      throw new TributaryError('INVALID_ARGUMENT', '--coordinator is given without --job', {
        hint: 'Say which job is meant: --job ID.',
      });
    }
    return `${source.coordinator}#${source.job ?? jobName!}`;
  }
  return (source.run === undefined ? RunFolder.newest(source.runs, jobName) : RunFolder.open(source.run))
    .path;
}

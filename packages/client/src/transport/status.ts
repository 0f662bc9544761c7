import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { type ErrorCode, errorCodes, TributaryError } from '@tributary/core/errors/TributaryError.ts';

const names = new Map<number, ErrorCode>(
  Object.entries(errorCodes).map(([name, number]) => [number, name as ErrorCode]),
);

/** The name of a status other than 0. */
export function errorCodeOf(status: number): ErrorCode {
  return names.get(status) ?? 'UNKNOWN';
}

/** What a call to `address` failed with, as an error of ours that says where. */
export function fromStatus(status: Pick<StatusObject, 'code' | 'details'>, address: string): TributaryError {
  return new TributaryError(errorCodeOf(status.code), `server ${address}: ${status.details}`, {
    cause: status,
  });
}

/** What a handler threw, as the status its caller gets. Anything but a TributaryError is a defect of the server. */
export function toStatus(error: unknown): StatusObject {
  const metadata = new Metadata();
  if (error instanceof TributaryError) {
    return { code: errorCodes[error.code], details: error.line, metadata };
  }
  return {
    code: errorCodes.INTERNAL,
    details: error instanceof Error ? error.message : String(error),
    metadata,
  };
}

/* The header grpc-timeout: at most eight digits and a unit ("PROTOCOL-HTTP2", the gRPC project). */

const unitMs: Record<string, number> = { n: 1e-6, u: 1e-3, m: 1, S: 1e3, M: 60e3, H: 3600e3 };
const valueMax = 99_999_999;

/** Rounded up to whole milliseconds, or seconds where those would not fit. */
export function formatTimeout(ms: number): string {
  const whole = Math.max(0, Math.ceil(ms));
  return whole <= valueMax ? `${whole}m` : `${Math.min(valueMax, Math.ceil(whole / 1000))}S`;
}

/** Milliseconds; undefined if it is no timeout. */
export function parseTimeout(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([numSMH])$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * unitMs[unit];
}

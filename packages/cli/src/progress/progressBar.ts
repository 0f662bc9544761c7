const cells = 20;

/** Of a fraction from 0 to 1. */
export function progressBar(fraction: number): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * cells);
  return `[${'#'.repeat(full)}${'.'.repeat(cells - full)}]`;
}

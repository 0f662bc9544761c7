/** Columns of text, the first ones to the left, the others to the right; those in which no row has anything but '-' left out. */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  leftColumns: number,
): string[] {
  const used = head.map((_, column) => column).filter((column) => rows.some((row) => row[column] !== '-'));
  const all = [head, ...rows];
  const width = (column: number) => Math.max(...all.map((row) => row[column].length));
  return all.map((row) =>
    used
      .map((column) =>
        column < leftColumns ? row[column].padEnd(width(column)) : row[column].padStart(width(column)),
      )
      .join('  ')
      .trimEnd(),
  );
}

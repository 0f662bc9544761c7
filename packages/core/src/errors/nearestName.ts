/**
 * The known name that a mistyped one most likely means, for "did you mean": least edit distance, two neighbours that are swapped being one
 * error (Levenshtein's, with Damerau's transpositions), letter case ignored, at most a third of its letters wrong. Undefined if none is so near.
 */
export function nearestName(mistyped: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const distance = editDistance(mistyped.toLowerCase(), name.toLowerCase());
    if (distance < least && distance <= Math.max(1, Math.floor(name.length / 3))) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

function editDistance(a: string, b: string): number {
  let twoAbove: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = above[column - 1] + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swap = swapped ? twoAbove[column - 2] + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(substitution, swap, above[column] + 1, current[column - 1] + 1));
    }
    twoAbove = above;
    above = current;
  }
  return above[b.length];
}

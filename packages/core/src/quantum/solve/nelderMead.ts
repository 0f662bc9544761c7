/** The best point found, its value, and how often the function was asked. */
export interface Minimum {
  readonly point: Float64Array;
  readonly value: number;
  readonly evaluations: number;
}

/**
 * Minimises a function of few variables without derivatives: a simplex of n + 1 points that reflects its worst one through the others, stretching, contracting and shrinking
 * (Nelder & Mead, "A Simplex Method for Function Minimization", 1965, with their coefficients). Deterministic. It stops when the values
 * of the simplex differ by less than `tolerance`, or after about `evaluationsMax` evaluations. `spread` is the first simplex's size along each axis.
 */
export function nelderMead(
  f: (point: Float64Array) => number,
  start: Float64Array,
  { spread, tolerance, evaluationsMax }: { spread: number; tolerance: number; evaluationsMax: number },
): Minimum {
  const n = start.length;
  let evaluations = 0;
  const vertexAt = (point: Float64Array): Vertex => {
    evaluations++;
    return { point, value: f(point) };
  };
  let simplex = [vertexAt(start.slice())];
  for (let axis = 0; axis < n; axis++)
    simplex.push(vertexAt(start.map((x, i) => (i === axis ? x + spread : x))));

  while (evaluations < evaluationsMax) {
    simplex.sort((a, b) => a.value - b.value);
    const best = simplex[0];
    const worst = simplex[n];
    if (worst.value - best.value < tolerance) break;
    const others = simplex.slice(0, n);
    const centroid = start.map((_, i) => others.reduce((sum, { point }) => sum + point[i], 0) / n);
    /** The point at `factor` times the way from the centroid to the worst vertex. */
    const along = (factor: number) => vertexAt(centroid.map((x, i) => x + factor * (worst.point[i] - x)));

    const reflected = along(-1);
    if (reflected.value < best.value) {
      const expanded = along(-2);
      simplex[n] = expanded.value < reflected.value ? expanded : reflected;
    } else if (reflected.value < simplex[n - 1].value) {
      simplex[n] = reflected;
    } else {
      const contracted = along(reflected.value < worst.value ? -0.5 : 0.5);
      if (contracted.value < Math.min(reflected.value, worst.value)) simplex[n] = contracted;
      else {
        const shrunk = simplex
          .slice(1)
          .map(({ point }) => vertexAt(point.map((x, i) => (x + best.point[i]) / 2)));
        simplex = [best, ...shrunk];
      }
    }
  }
  const best = simplex.reduce((a, b) => (b.value < a.value ? b : a));
  return { ...best, evaluations };
}

interface Vertex {
  readonly point: Float64Array;
  readonly value: number;
}

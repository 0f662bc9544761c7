/** A step, and the ranks that are to compute it. */
export interface Turn {
  readonly step: number;
  readonly ranks: readonly number[];
}

/** Whose turn it is among the ranks held, of which at least one is: those furthest behind, in the synchronous mode together, otherwise the first of them. */
export function nextTurn(clocks: ReadonlyMap<number, number>, together: boolean): Turn {
  const step = Math.min(...clocks.values());
  const behind = [...clocks.keys()].filter((rank) => clocks.get(rank) === step);
  return { step, ranks: together ? behind : [Math.min(...behind)] };
}

/** Whose turn comes after this one, if nothing comes between. */
export function turnAfter(turn: Turn, clocks: ReadonlyMap<number, number>, together: boolean): Turn {
  const after = new Map(clocks);
  for (const rank of turn.ranks) after.set(rank, turn.step + 1);
  return nextTurn(after, together);
}

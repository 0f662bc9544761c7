/** The name under which all servers write their parts of one checkpoint. A generation begins from a checkpoint and only goes forward, so it is unique. */
export function checkpointId(generation: number, step: number): string {
  return `g${generation}-s${step}`;
}

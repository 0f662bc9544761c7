import type { Layout, TensorSpec } from '../layout/Layout.ts';
import { fillPattern, firstMatch, matchName, requireMatches } from '../layout/namePattern.ts';

/** How the tensors of a model find theirs among others that were trained before. Names of the model are given as patterns: see namePattern.ts. */
export interface TransferRules {
  /**
   * From names in the model to names in the source, in which each star stands for what that star stood for: `{ 'conv*': 'features.conv*' }`.
   * The first entry that matches counts. A tensor that none matches has its own name there.
   */
  readonly map?: Readonly<Record<string, string>> | undefined;
  /** Matrices among these lie transposed in the source: the weights of a dense layer are [inputs, outputs] here, [outputs, inputs] in PyTorch. */
  readonly transpose?: readonly string[] | undefined;
  /** Tensors that begin as the model's `init` makes them, whatever the source has: a new head. */
  readonly reinitialise?: readonly string[] | undefined;
}

export interface TrainedTensors {
  readonly layout: Layout;
  readonly flat: Float32Array;
  /** Tensors that are there, but cannot be read. */
  readonly others: readonly { readonly name: string; readonly dtype: string }[];
}

export interface Transfer {
  /** The parameters, in the model's layout. */
  readonly flat: Float32Array;
  /** Names in the model. */
  readonly taken: readonly string[];
  readonly reinitialised: readonly string[];
  /** Names in the source that no tensor of the model asked for. */
  readonly unused: readonly string[];
  /** All that does not fit, one line each. Unless there is none, `flat` is of no use. */
  readonly differences: readonly string[];
}

/** Takes over parameters by name. Throws INVALID_ARGUMENT for a pattern that matches nothing in the model. */
export function transferParameters(
  model: Layout,
  initial: Float32Array,
  source: TrainedTensors,
  { map = {}, transpose = [], reinitialise = [] }: TransferRules = {},
): Transfer {
  const names = model.tensors.map(({ name }) => name);
  requireMatches('start.map', Object.keys(map), names);
  requireMatches('start.transpose', transpose, names);
  requireMatches('start.reinitialise', reinitialise, names);

  const sources = new Map(source.layout.tensors.map((tensor) => [tensor.name, tensor]));
  const unused = new Set([...sources.keys(), ...source.others.map(({ name }) => name)]);
  const flat = initial.slice();
  const taken: string[] = [];
  const reinitialised: string[] = [];
  const differences: string[] = [];
  for (const tensor of model.tensors) {
    const { name, offset } = tensor;
    if (firstMatch(reinitialise, name) !== undefined) {
      reinitialised.push(name);
      continue;
    }
    const from = nameInSource(name, map);
    unused.delete(from);
    const found = sources.get(from);
    const transposed = tensor.shape.length === 2 && firstMatch(transpose, name) !== undefined;
    const difference = found === undefined ? missing(name, from, source) : misfit(tensor, found, transposed);
    if (difference !== undefined) {
      differences.push(difference);
      continue;
    }
    const values = source.flat.subarray(found!.offset, found!.offset + found!.length);
    flat.set(transposed ? transposedMatrix(values, found!.shape) : values, offset);
    taken.push(name);
  }
  return { flat, taken, reinitialised, unused: [...unused], differences };
}

function nameInSource(name: string, map: Readonly<Record<string, string>>): string {
  const pattern = firstMatch(Object.keys(map), name);
  return pattern === undefined ? name : fillPattern(map[pattern], matchName(pattern, name)!);
}

function missing(name: string, from: string, { others }: TrainedTensors): string {
  const unreadable = others.find((other) => other.name === from);
  const called = name === from ? '' : `: there is no "${from}"`;
  return unreadable === undefined
    ? `"${name}" is missing${called}`
    : `"${from}" is ${unreadable.dtype}, not a float`;
}

function misfit(tensor: TensorSpec, { shape }: TensorSpec, transposed: boolean): string | undefined {
  const asked = transposed ? tensor.shape.toReversed() : tensor.shape;
  if (shape.join() === asked.join()) return undefined;
  const advice =
    shape.length === 2 && shape.toReversed().join() === asked.join() ? ', but transposed it fits' : '';
  return `"${tensor.name}" has the shape [${shape.join(', ')}] instead of [${asked.join(', ')}]${advice}`;
}

function transposedMatrix(values: Float32Array, [rows, columns]: readonly number[]): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = values[row * columns + column];
  }
  return turned;
}

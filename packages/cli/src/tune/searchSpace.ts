import { nearestName } from '@tributary/core/errors/nearestName.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { createPermutation } from '@tributary/core/random/permutation.ts';
import { createUniforms } from '@tributary/core/random/uniforms.ts';

export type Value = string | number | boolean;
/** One value for each dimension. */
export type Point = Readonly<Record<string, Value>>;

export type Dimension =
  | { readonly name: string; readonly kind: 'choices'; readonly choices: readonly Value[] }
  | {
      readonly name: string;
      readonly kind: 'range';
      readonly from: number;
      readonly to: number;
      /** Even in the logarithm. */
      readonly logarithmic: boolean;
      readonly whole: boolean;
    };

/** What has no fractions, whether said or not. */
const wholeNames = ['batchSize', 'ranks', 'history', 'iterations'];
const example = 'Write "learningRate=1e-4..1e-1:log,batchSize=16|32|64".';

/** Dimensions from text such as `learningRate=1e-4..1e-1:log,batchSize=16|32|64`. Throws INVALID_ARGUMENT for what cannot be read, and for a name that is not among `known`. */
export function parseSearch(text: string, known: readonly string[]): Dimension[] {
  const dimensions = text.split(',').map((piece) => parseDimension(piece.trim()));
  for (const { name } of dimensions) {
    if (!known.includes(name)) throw unknownName(name, known);
    if (dimensions.filter((other) => other.name === name).length > 1) {
      throw new TributaryError('INVALID_ARGUMENT', `--search names ${name} twice`, { hint: example });
    }
  }
  return dimensions;
}

/**
 * So many points, the same for the same seed. All combinations, in order, if there are only choices and no more than `count` of them. Else every dimension is cut into as
 * many parts, of which each is taken once, in an order of its own: a Latin hypercube (McKay, Beckman & Conover, 1979), which leaves no part of a dimension out.
 */
export function samplePoints(dimensions: readonly Dimension[], count: number, seed: number): Point[] {
  const combinations = dimensions.reduce(
    (product, dimension) =>
      product * (dimension.kind === 'choices' ? dimension.choices.length : Number.POSITIVE_INFINITY),
    1,
  );
  if (combinations <= count) return allCombinations(dimensions);
  const columns = dimensions.map((dimension, index) => {
    const part = createPermutation(count, seed, index);
    const uniform = createUniforms(seed, index);
    return Array.from({ length: count }, (_, trial) => valueAt(dimension, (part(trial) + uniform()) / count));
  });
  return Array.from({ length: count }, (_, trial) =>
    Object.fromEntries(dimensions.map(({ name }, index) => [name, columns[index][trial]])),
  );
}

/** For people: `learningRate 0.0031, batchSize 32`. */
export function describePoint(point: Point): string {
  return Object.entries(point)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function allCombinations(dimensions: readonly Dimension[]): Point[] {
  return dimensions.reduce<Point[]>(
    (points, dimension) =>
      points.flatMap((point) =>
        (dimension.kind === 'choices' ? dimension.choices : []).map((choice) => ({
          ...point,
          [dimension.name]: choice,
        })),
      ),
    [{}],
  );
}

/** At a place from 0 to 1. */
function valueAt(dimension: Dimension, place: number): Value {
  if (dimension.kind === 'choices') return dimension.choices[Math.floor(place * dimension.choices.length)];
  const { from, to, logarithmic, whole } = dimension;
  const value = logarithmic ? from * (to / from) ** place : from + (to - from) * place;
  return whole ? Math.round(value) : Number(value.toPrecision(3));
}

function parseDimension(text: string): Dimension {
  const [, name, values] = /^([A-Za-z]\w*)=(.+)$/.exec(text) ?? [];
  if (name === undefined)
    throw new TributaryError('INVALID_ARGUMENT', `--search cannot be read at "${text}"`, { hint: example });
  const range = /^(.+)\.\.([^:]+)((?::\w+)*)$/.exec(values);
  if (range === null) return { name, kind: 'choices', choices: values.split('|').map(parseValue) };
  const [from, to] = [Number(range[1]), Number(range[2])];
  const words = range[3].split(':').slice(1);
  const logarithmic = words.includes('log');
  const wrong = words.find((word) => word !== 'log' && word !== 'int');
  if (wrong !== undefined) {
    throw new TributaryError('INVALID_ARGUMENT', `--search: ${name} ends with ":${wrong}"`, {
      hint: 'A range may end with :log (even in the logarithm) and :int (whole numbers).',
    });
  }
  if (!(from < to) || (logarithmic && from <= 0)) {
    throw new TributaryError('INVALID_ARGUMENT', `--search: ${name} goes from ${range[1]} to ${range[2]}`, {
      hint: `A range goes from a number to a greater one${logarithmic ? ', and with :log from above 0' : ''}.`,
    });
  }
  return {
    name,
    kind: 'range',
    from,
    to,
    logarithmic,
    whole: words.includes('int') || wholeNames.includes(name),
  };
}

function parseValue(text: string): Value {
  if (text === 'true' || text === 'false') return text === 'true';
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
}

function unknownName(name: string, known: readonly string[]): TributaryError {
  const nearest = nearestName(name, known);
  const suggestion = nearest === undefined ? '' : `Did you mean "${nearest}"? `;
  return new TributaryError('INVALID_ARGUMENT', `--search: there is no "${name}" to search`, {
    hint: `${suggestion}There are: ${known.join(', ')}.`,
  });
}

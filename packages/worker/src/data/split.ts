import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { createPermutation } from '@tributary/core/random/permutation.ts';
import type { DataSource, Dataset } from './Dataset.ts';
import { subset } from './subset.ts';

/**
 * Holds back a part of the examples, chosen at random by the seed, for evaluation:
 *
 * ```ts
 * data: split(csv('houses.csv', { ... }), { test: 0.2 })
 * ```
 *
 * The same seed (default 1) and the same number of examples give the same parts on every machine. `test` is a fraction between 0 and 1;
 * opening throws INVALID_ARGUMENT if either part would be empty.
 */
export function split<Name extends string>(
  source: DataSource<Name>,
  { test, seed = 1 }: { test: number; seed?: number },
): { train: DataSource<Name>; test: DataSource<Name> } {
  if (!(test > 0 && test < 1)) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `split() is to hold back ${test} of the data, but must hold back a fraction between 0 and 1`,
    );
  }
  const shared = sharing(source);
  const part = (
    name: string,
    cut: (size: number, testSize: number) => { begin: number; end: number },
  ): DataSource<Name> => ({
    description: `${name} part of ${source.description}`,
    async open(folder) {
      const whole = await shared.open(folder);
      const testSize = Math.round(whole.size * test);
      if (testSize === 0 || testSize === whole.size) {
        await whole.close();
        throw new TributaryError(
          'INVALID_ARGUMENT',
          `${source.description}: ${test} of ${whole.size} examples leaves one part of the split empty`,
        );
      }
      const order = createPermutation(whole.size, seed, splitStream);
      const { begin, end } = cut(whole.size, testSize);
      return subset(whole, end - begin, (example) => order(begin + example));
    },
  });
  return {
    train: part('training', (size, testSize) => ({ begin: testSize, end: size })),
    test: part('test', (_, testSize) => ({ begin: 0, end: testSize })),
  };
}

/** In the place of an epoch that no training reaches: the split and the sampler may have one seed and yet draw apart. */
const splitStream = 2 ** 32 - 1;

/** Both parts of a split read one open data set: it is opened for the first of them and closed with the last. */
function sharing<Name extends string>(source: DataSource<Name>): DataSource<Name> {
  const opened = new Map<string | undefined, { readonly whole: Promise<Dataset<Name>>; users: number }>();
  return {
    description: source.description,
    async open(folder) {
      const entry = opened.get(folder) ?? { whole: source.open(folder), users: 0 };
      opened.set(folder, entry);
      entry.users++;
      const leave = async (): Promise<boolean> => {
        entry.users--;
        if (entry.users === 0) opened.delete(folder);
        return entry.users === 0;
      };
      try {
        const whole = await entry.whole;
        return {
          ...whole,
          close: async () => {
            if (await leave()) await whole.close();
          },
        };
      } catch (error) {
        await leave();
        throw error;
      }
    },
  };
}

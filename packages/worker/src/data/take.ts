import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { DataSource } from './Dataset.ts';
import { subset } from './subset.ts';

/** The first `count` examples of a source: for a quick try. Opening it throws INVALID_ARGUMENT if the source has fewer. */
export function take<Name extends string>(source: DataSource<Name>, count: number): DataSource<Name> {
  if (!Number.isInteger(count) || count < 1) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `take() is to give ${count} examples, but must give a whole number above 0`,
    );
  }
  const description = `first ${count} of ${source.description}`;
  return {
    description,
    async open(folder) {
      const whole = await source.open(folder);
      if (whole.size < count) {
        await whole.close();
        throw new TributaryError('INVALID_ARGUMENT', `${description}: there are ${whole.size} examples`);
      }
      return subset(whole, count, (example) => example);
    },
  };
}

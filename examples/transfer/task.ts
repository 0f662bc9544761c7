import type { Batch, DataSource, Dataset } from 'tributary';
import { digits } from '../mnist/digits.ts';

type Fields = 'x' | 'y';

/** Read once for both parts. */
let opened: Promise<Dataset<Fields>> | undefined;

/** Examples of each digit that are kept for the test, its last ones. */
const held = 200;

/**
 * A task of its own: to tell the digits from `first` to `first + 4` apart, which it calls 0 to 4. `images` of each digit, from place `skip` on, are for the training; by
 * default all that are not kept for the test.
 */
export function task(
  first: number,
  { images, skip = 0 }: { images?: number; skip?: number } = {},
): { train: DataSource<Fields>; test: DataSource<Fields> } {
  const end = images === undefined ? undefined : skip + images;
  return {
    train: source(first, 'training', (places) => places.slice(0, -held).slice(skip, end)),
    test: source(first, 'test', (places) => places.slice(-held)),
  };
}

function source(
  first: number,
  part: string,
  choose: (places: readonly number[]) => readonly number[],
): DataSource<Fields> {
  return {
    description: `${part} part of the ${digits.description}, ${first} to ${first + 4}`,
    async open() {
      opened ??= digits.open();
      const all = await opened;
      const { y } = await all.read(Uint32Array.from({ length: all.size }, (_, place) => place));
      const placesOf = (digit: number) =>
        Array.from(y.data.keys()).filter((place) => y.data[place] === digit);
      const chosen = [0, 1, 2, 3, 4].flatMap((label) => choose(placesOf(first + label)));
      return relabelled(all, first, Uint32Array.from(chosen));
    },
  };
}

function relabelled(all: Dataset<Fields>, first: number, chosen: Uint32Array): Dataset<Fields> {
  return {
    size: chosen.length,
    fields: all.fields,
    async read(examples): Promise<Batch<Fields>> {
      const { x, y } = await all.read(examples.map((example) => chosen[example]));
      return { x, y: { shape: y.shape, data: Int32Array.from(y.data, (digit) => digit - first) } };
    },
    close: () => all.close(),
  };
}

import { assertExamples } from './batchArrays.ts';
import type { Dataset } from './Dataset.ts';

/** Some examples of a data set as one of their own: its example i is `member(i)` of the whole. Closing it closes the whole. */
export function subset<Name extends string>(
  whole: Dataset<Name>,
  size: number,
  member: (example: number) => number,
): Dataset<Name> {
  return {
    size,
    fields: whole.fields,
    read(examples, fields) {
      assertExamples(examples, size);
      return whole.read(examples.map(member), fields);
    },
    close: () => whole.close(),
  };
}

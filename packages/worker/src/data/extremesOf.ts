import { limits } from '@tributary/core/limits/limits.ts';
import { elementsOf } from './batchArrays.ts';
import type { BatchArray, Dataset } from './Dataset.ts';

/** An example that has the least or the greatest value of a field of whole numbers. */
export interface Extreme {
  readonly field: string;
  readonly example: number;
  readonly value: number;
}

/** Numbers read at once: of a text file, the text of as many examples is in memory. */
const elementsAtOnce = 1 << 14;

/**
 * The least and the greatest value of every field of whole numbers, and where they are. Reads these fields of all examples once; of every second, every third... where
 * there are more than `limits.checkedExamplesMax`. Throws what reading throws.
 */
export async function extremesOf(data: Dataset): Promise<Extreme[]> {
  const fields = Object.keys(data.fields).filter((field) => data.fields[field].dtype === 'int32');
  const widths = fields.map((field) => elementsOf(data.fields[field].shape));
  if (Math.max(0, ...widths) === 0) return [];
  const stride = Math.ceil(data.size / limits.checkedExamplesMax);
  const count = Math.ceil(data.size / stride);
  const atOnce = Math.ceil(elementsAtOnce / Math.max(...widths));
  const found = new Map<string, Extreme>();
  for (let begin = 0; begin < count; begin += atOnce) {
    const length = Math.min(atOnce, count - begin);
    const examples = Uint32Array.from({ length }, (_, row) => (begin + row) * stride);
    const batch = await data.read(examples, fields);
    fields.forEach((field, index) => {
      const { data: values } = batch[field];
      const { least, greatest } = placesOf(values);
      const keep = (which: string, place: number, sign: number) => {
        const [value, before] = [values[place], found.get(`${which} ${field}`)];
        if (before !== undefined && sign * before.value >= sign * value) return;
        found.set(`${which} ${field}`, {
          field,
          value,
          example: examples[Math.floor(place / widths[index])],
        });
      };
      keep('least', least, -1);
      keep('greatest', greatest, 1);
    });
  }
  return [...found.values()];
}

function placesOf(values: BatchArray['data']): { least: number; greatest: number } {
  let least = 0;
  let greatest = 0;
  for (let place = 1; place < values.length; place++) {
    if (values[place] < values[least]) least = place;
    if (values[place] > values[greatest]) greatest = place;
  }
  return { least, greatest };
}

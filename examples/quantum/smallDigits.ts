import { type DataSource, type Dataset, inMemory } from 'tributary';
import { digits } from '../mnist/digits.ts';

/**
 * Handwritten digits made small: the first `perClass` images of each of the given classes, as `side` x `side` means of grey values (`side` divides 28).
 * x: float32[side * side] from 0 to 1; y: int32, the place of the digit in `classes`.
 */
export function smallDigits({
  classes,
  perClass,
  side,
}: {
  classes: readonly number[];
  perClass: number;
  side: number;
}): DataSource<'x' | 'y'> {
  const read = async () => {
    const source = await digits.open();
    const { x, y } = await source.read(Uint32Array.from({ length: source.size }, (_, index) => index));
    const chosen = classes.flatMap((digit) => {
      const first = y.data.indexOf(digit);
      return Array.from({ length: perClass }, (_, index) => first + index);
    });
    const small = inMemory({
      x: chosen.map((image) => means(x.data.subarray(image * 784, (image + 1) * 784), side)),
      y: Int32Array.from(chosen, (image) => classes.indexOf(y.data[image])),
    });
    return small.open();
  };
  /** Read once for both parts and all openings. */
  let opened: Promise<Dataset<'x' | 'y'>> | undefined;
  return {
    description: `${perClass} digits of each of ${classes.join(', ')}, ${side} x ${side}`,
    open() {
      opened ??= read();
      return opened;
    },
  };
}

/** The means of the square patches of an image of 28 x 28. */
function means(image: ArrayLike<number>, side: number): number[] {
  const width = 28 / side;
  const sums = Array<number>(side * side).fill(0);
  for (let pixel = 0; pixel < 784; pixel++) {
    const row = Math.floor(pixel / 28 / width);
    const column = Math.floor((pixel % 28) / width);
    sums[row * side + column] += image[pixel];
  }
  return sums.map((sum) => sum / width ** 2);
}

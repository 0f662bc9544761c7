import { type SharedMemory, webAssembly } from '../../webassembly/webAssembly.ts';
import { type Matrix, transposed } from './Matrix.ts';
import { kernelModule } from './multiplyModule.ts';

type MultiplyPanels = (
  ...args: [a: number, b: number, out: number, rows: number, inner: number, columns: number]
) => void;

/** Rows and columns that the kernel computes at once. */
const tile = 4;
/** Below so many products the copies to the kernel's memory cost more than it saves. */
const productsMin = 4096;
const bytesMax = 2 ** 31;
const pageBytes = 65536;
const pagesMax = 65536;

let kernel: { memory: SharedMemory; multiplyPanels: MultiplyPanels } | undefined;

/** A B, by a SIMD kernel where that pays. Every element is summed in the order of k, so that the bits are those of `multiplyPlain` and of any machine. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  const { rows, columns: inner } = a;
  const { columns } = b;
  const [rowsUp, columnsUp] = [roundUp(rows), roundUp(columns)];
  const doubles = { a: rowsUp * inner, b: inner * columnsUp, out: rowsUp * columnsUp };
  const bytes = 8 * (doubles.a + doubles.b + doubles.out);
  if (rows * inner * columns < productsMin || bytes > bytesMax) return multiplyPlain(a, b);
  const { memory, multiplyPanels } = kernelWith(bytes);
  const left = new Float64Array(memory.buffer, 0, doubles.a);
  const panels = new Float64Array(memory.buffer, left.byteLength, doubles.b);
  const out = new Float64Array(memory.buffer, left.byteLength + panels.byteLength, doubles.out);
  left.set(a.values);
  left.fill(0, a.values.length);
  toPanels(b, panels);
  multiplyPanels(0, panels.byteOffset, out.byteOffset, rowsUp, inner, columnsUp);
  const values = new Float64Array(rows * columns);
  if (columnsUp === columns) values.set(out.subarray(0, values.length));
  else {
    for (let row = 0; row < rows; row++)
      values.set(out.subarray(row * columnsUp, row * columnsUp + columns), row * columns);
  }
  return { rows, columns, values };
}

/** A A': symmetric to the last bit, since both halves are the same sums. */
export function gram(a: Matrix): Matrix {
  return multiply(a, transposed(a));
}

/** As multiply, by plain loops. */
export function multiplyPlain(a: Matrix, b: Matrix): Matrix {
  const { rows, columns: inner, values: left } = a;
  const { columns, values: right } = b;
  const result = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const to = i * columns;
    for (let k = 0; k < inner; k++) {
      const factor = left[i * inner + k];
      const from = k * columns;
      for (let j = 0; j < columns; j++) result[to + j] += factor * right[from + j];
    }
  }
  return { rows, columns, values: result };
}

/** Four columns each, row by row, one panel after the other; the last is filled up with zeros. */
function toPanels({ rows, columns, values }: Matrix, panels: Float64Array): void {
  for (let column = 0, to = 0; column < columns; column += tile) {
    const width = Math.min(tile, columns - column);
    for (let row = 0; row < rows; row++, to += tile) {
      const from = row * columns + column;
      for (let j = 0; j < tile; j++) panels[to + j] = j < width ? values[from + j] : 0;
    }
  }
}

/** One memory for all products of a thread, as large as the largest. */
function kernelWith(bytes: number) {
  if (kernel === undefined) {
    const memory = new webAssembly.Memory({ initial: 1, maximum: pagesMax, shared: true });
    const compiled = new webAssembly.Module(Buffer.from(kernelModule, 'base64'));
    const { exports } = new webAssembly.Instance(compiled, { env: { memory } });
    kernel = { memory, multiplyPanels: (exports as { multiplyPanels: MultiplyPanels }).multiplyPanels };
  }
  const missing = bytes - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / pageBytes));
  return kernel;
}

function roundUp(count: number): number {
  return Math.ceil(count / tile) * tile;
}

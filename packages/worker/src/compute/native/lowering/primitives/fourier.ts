import { materialised } from '../arrange.ts';
import { type Rule, rule } from '../Rule.ts';
import { contiguous } from '../View.ts';
import { slice } from './shape.ts';

/** The complex transform along the last axis, real and imaginary part apart; ONNX has them as a last axis of two. `factors` only steers jax-js. */
const fft = rule('factors inverse', (graph, parts, { shape, type, parameters: { inverse } }) => {
  const rank = shape.length;
  const columns = parts.map((part) => graph.reshape(materialised(graph, part), [1, ...shape, 1]));
  const pairShape = [1, ...shape, 2];
  const signal = graph.emit('Concat', columns, pairShape, type, { axis: rank + 1 });
  // The axis is an input since version 20 of the operator set; the length, left out, is that of the axis.
  const axis = graph.scalar(rank, 'int64');
  const spectrum = graph.emit('DFT', [signal, undefined, axis], pairShape, type, {
    inverse: inverse ? 1 : 0,
  });
  return [0, 1].map((part) =>
    contiguous(graph.reshape(slice(graph, spectrum, [rank + 1], [part], [part + 1]), shape)),
  );
});

export const fourierRules: Record<string, Rule> = { fft };

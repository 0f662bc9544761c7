import { cast, materialised } from '../arrange.ts';
import type { GraphBuilder } from '../GraphBuilder.ts';
import { type Rule, rule } from '../Rule.ts';
import { contiguous, type View } from '../View.ts';
import { asSigned, asUnsigned } from './elementwise.ts';

/** Ascending along the last axis; of equal values the earlier comes first. Returns [values, positions]. */
function sorted(graph: GraphBuilder, x: View): [View, View] {
  if (x.type === 'uint32') {
    const [values, positions] = sorted(graph, asSigned(graph, x));
    return [asUnsigned(graph, values), positions];
  }
  const type = x.type === 'bool' ? 'int32' : x.type;
  const tensor = materialised(graph, cast(graph, x, type));
  const results = [
    { shape: tensor.shape, type },
    { shape: tensor.shape, type: 'int64' as const },
  ];
  const count = graph.integers([tensor.shape.at(-1)!]);
  const attributes = { axis: -1, largest: 0, sorted: 1 };
  const [values, positions] = graph.emitMany('TopK', [tensor, count], results, attributes);
  return [cast(graph, contiguous(values), x.type), cast(graph, contiguous(positions), 'int32')];
}

export const sortRules: Record<string, Rule> = {
  sort: rule('', (graph, [x]) => sorted(graph, x)[0]),
  argsort: rule('', (graph, [x]) => sorted(graph, x)),
};

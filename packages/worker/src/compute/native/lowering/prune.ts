import type { Node, OnnxModel } from '../onnx/OnnxModel.ts';

/** Drops nodes, constants and inputs that no output needs. */
export function pruned(model: OnnxModel): OnnxModel {
  const needed = new Set(model.outputs.map(({ name }) => name));
  const nodes: Node[] = [];
  for (const node of model.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    nodes.push(node);
    for (const input of node.inputs) needed.add(input);
  }
  return {
    ...model,
    nodes: nodes.reverse(),
    constants: model.constants.filter(({ name }) => needed.has(name)),
    inputs: model.inputs.filter(({ name }) => needed.has(name)),
  };
}

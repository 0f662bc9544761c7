import {
  type Attribute,
  type Constant,
  elementTypeNumbers,
  type Node,
  type OnnxModel,
  type ValueInfo,
} from './OnnxModel.ts';
import { ProtobufWriter } from './ProtobufWriter.ts';

/** The operator set whose definitions the lowering follows, and the oldest file version that may hold it. */
const usualVersion = { operatorSet: 20, ir: 9 };
/** BitCast came later. It is asked for only where it is needed, since onnxruntime's fusions know the older definitions best. */
const bitCastVersion = { operatorSet: 26, ir: 13 };

/** Field numbers are those of onnx.proto: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
export function encodeModel(model: OnnxModel): Uint8Array {
  const graph = new ProtobufWriter().string(2, 'program');
  for (const node of model.nodes) graph.message(1, encodeNode(node));
  for (const constant of model.constants) graph.message(5, encodeConstant(constant));
  for (const input of model.inputs) graph.message(11, encodeValueInfo(input));
  for (const output of model.outputs) graph.message(12, encodeValueInfo(output));
  const version = model.nodes.some(({ op }) => op === 'BitCast') ? bitCastVersion : usualVersion;
  return new ProtobufWriter()
    .integer(1, version.ir)
    .string(2, 'tributary')
    .message(7, graph)
    .message(8, new ProtobufWriter().string(1, '').integer(2, version.operatorSet))
    .message(8, new ProtobufWriter().string(1, 'com.microsoft').integer(2, 1))
    .finish();
}

function encodeNode({ op, inputs, outputs, attributes, domain }: Node): ProtobufWriter {
  const node = new ProtobufWriter();
  for (const input of inputs) node.string(1, input);
  for (const output of outputs) node.string(2, output);
  node.string(4, op);
  for (const [name, value] of Object.entries(attributes)) node.message(5, encodeAttribute(name, value));
  return node.string(7, domain);
}

function encodeAttribute(name: string, value: Attribute): ProtobufWriter {
  const attribute = new ProtobufWriter().string(1, name);
  if (typeof value === 'number') return attribute.integer(3, value).integer(20, 2);
  if (typeof value === 'string') return attribute.string(4, value).integer(20, 3);
  if ('float' in value) return attribute.float(2, value.float).integer(20, 1);
  if ('tensor' in value) return attribute.message(5, encodeConstant(value.tensor)).integer(20, 4);
  for (const item of value) attribute.integer(8, item);
  return attribute.integer(20, 7);
}

function encodeConstant({ name, type, shape, bytes }: Constant): ProtobufWriter {
  const tensor = new ProtobufWriter();
  for (const dimension of shape) tensor.integer(1, dimension);
  return tensor.integer(2, elementTypeNumbers[type]).string(8, name).bytes(9, bytes);
}

function encodeValueInfo({ name, type, shape }: ValueInfo): ProtobufWriter {
  const dimensions = new ProtobufWriter();
  for (const dimension of shape) dimensions.message(1, new ProtobufWriter().integer(1, dimension));
  const tensor = new ProtobufWriter().integer(1, elementTypeNumbers[type]).message(2, dimensions);
  return new ProtobufWriter().string(1, name).message(2, new ProtobufWriter().message(1, tensor));
}

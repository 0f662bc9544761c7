import { invariant } from '@tributary/core/errors/invariant.ts';
import { operandType } from '../../../autodiff/operandType.ts';
import { type Equation, isVariable, type Variable } from '../../../autodiff/TracedProgram.ts';
import { type ElementType, elementTypeNumbers, type OnnxModel, type ValueInfo } from '../onnx/OnnxModel.ts';
import { cast, materialised } from './arrange.ts';
import { GraphBuilder, sameShape } from './GraphBuilder.ts';
import type { Segment } from './partition.ts';
import { pruned } from './prune.ts';
import { unsupported } from './Rule.ts';
import { rules } from './rules.ts';
import { broadcastTo, contiguous, type View } from './View.ts';

/** The elements of a constant. */
export type ConstantData = Float32Array | Float64Array | Int32Array | Uint32Array;

export interface LoweredSegment {
  readonly model: OnnxModel;
  /** The variables that the model's inputs are; constants, and variables that nothing needs, are not among them. */
  readonly inputs: readonly Variable[];
  readonly outputs: readonly Variable[];
}

/**
 * Translates a segment equation by equation. Throws UNIMPLEMENTED, naming the primitive, for one that has no rule, or comes with a parameter
 * that its rule does not know.
 */
export function lowerSegment(
  segment: Segment,
  constants: ReadonlyMap<Variable, ConstantData>,
): LoweredSegment {
  const graph = new GraphBuilder();
  const values = new Map<Variable, View>();
  const infos: ValueInfo[] = [];
  for (const [index, variable] of segment.inputs.entries()) {
    const data = constants.get(variable);
    if (data !== undefined) {
      values.set(variable, constantView(graph, data, variable));
      continue;
    }
    const info = { name: `in${index}`, shape: variable.aval.shape, type: elementType(variable) };
    infos.push(info);
    values.set(variable, contiguous(graph.input(info.name, info.shape, info.type)));
  }
  for (const equation of segment.equations) {
    const results = lowerEquation(graph, equation, values);
    equation.outBinders.forEach((binder, index) => {
      invariant(
        sameShape(results[index].shape, binder.aval.shape),
        `${equation.primitive} was lowered to the shape [${results[index].shape}], not [${binder.aval.shape}]`,
      );
      values.set(binder, results[index]);
    });
  }
  const outputs = segment.outputs.map((variable, index) => ({
    name: `out${index}`,
    tensor: materialised(graph, cast(graph, values.get(variable)!, elementType(variable))),
  }));
  const model = pruned(graph.build(infos, outputs));
  const used = new Set(model.inputs.map(({ name }) => name));
  return {
    model,
    inputs: segment.inputs.filter((_, index) => used.has(`in${index}`)),
    outputs: segment.outputs,
  };
}

function lowerEquation(
  graph: GraphBuilder,
  equation: Equation,
  values: ReadonlyMap<Variable, View>,
): readonly View[] {
  const primitive = String(equation.primitive);
  const rule = rules.get(primitive);
  if (rule === undefined) throw unsupported(primitive, '');
  const unknown = Object.keys(equation.params).find((name) => !rule.parameters.includes(name));
  if (unknown !== undefined) throw unsupported(primitive, ` with the parameter "${unknown}"`);
  const operands = equation.inputs.map((operand, index) => {
    const view = isVariable(operand) ? values.get(operand)! : literalView(graph, operand);
    return cast(graph, view, operandType(equation, index) as ElementType);
  });
  const [{ aval }] = equation.outBinders;
  const result = rule.lower(graph, operands, {
    primitive,
    parameters: equation.params,
    shape: aval.shape,
    type: elementType(equation.outBinders[0]),
    equation,
  });
  return Array.isArray(result) ? result : [result as View];
}

function elementType({ aval }: { aval: Variable['aval'] }): ElementType {
  const dtype = String(aval.dtype);
  invariant(dtype in elementTypeNumbers, `element type ${dtype}`);
  return dtype as ElementType;
}

function literalView(graph: GraphBuilder, literal: Exclude<Equation['inputs'][number], Variable>): View {
  return contiguous(graph.scalar(Number(literal.value), elementType(literal)));
}

/** An array of equal numbers is one number, repeated. */
function constantView(graph: GraphBuilder, data: ConstantData, variable: Variable): View {
  const type = elementType(variable);
  const { shape } = variable.aval;
  const first = data[0];
  if (data.length > 0 && data.every((value) => value === first)) {
    return broadcastTo(contiguous(graph.scalar(first, type)), shape);
  }
  return contiguous(graph.constant(data, shape, type));
}

import { type numpy as np, random } from '@jax-js/jax';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { createLayout, type Layout } from '@tributary/core/layout/Layout.ts';
import type { Model } from '../job/Model.ts';
import { evaluateProgram } from './evaluateProgram.ts';
import { flattenTree, type TreeStructure } from './parameterTree.ts';
import { type TracedProgram, traceFunction } from './TracedProgram.ts';

/** How a model's parameters are nested and where each lies in the flat vector. */
export interface ParameterShape {
  readonly layout: Layout;
  readonly structure: TreeStructure;
}

/**
 * Names and shapes of the parameters, found by tracing `init`: no parameter is computed, so it is cheap for a model of any size.
 * Throws INVALID_ARGUMENT for a leaf that is not a float32 array, and FAILED_PRECONDITION if `init` answers differently the second time.
 */
export function layoutOf(model: Model): ParameterShape {
  const { program, ...shape } = traceInit(model);
  program.dispose();
  return shape;
}

/** The parameters at the start, laid end to end: a function of the model and the seed alone. */
export async function initialParameters(
  model: Model,
  seed: number,
): Promise<ParameterShape & { readonly flat: Float32Array }> {
  const { program, layout, structure } = traceInit(model);
  const flat = new Float32Array(layout.length);
  const leaves = evaluateProgram(program, [random.key(seed)]);
  for (const [index, leaf] of leaves.entries()) {
    flat.set((await leaf.data()) as Float32Array, layout.tensors[index].offset);
  }
  program.dispose();
  return { layout, structure, flat };
}

function traceInit(model: Model): ParameterShape & { readonly program: TracedProgram } {
  const first = traceOnce(model);
  const second = traceOnce(model);
  second.program.dispose();
  const same =
    first.structure.equals(second.structure) &&
    first.layout.tensors.every((tensor, index) =>
      sameShape(tensor.shape, second.layout.tensors[index].shape),
    );
  if (!same) {
    first.program.dispose();
    throw new TributaryError(
      'FAILED_PRECONDITION',
      "the model's init returns different parameters on its second call",
      {
        hint: `First ${first.structure}, then ${second.structure}. Make init depend on its key alone.`,
      },
    );
  }
  return first;
}

function traceOnce(model: Model): ParameterShape & { readonly program: TracedProgram } {
  let names: readonly string[] = [];
  let structure: TreeStructure | undefined;
  const program = traceFunction(
    (key) => {
      const flat = flattenTree(model.init(key));
      ({ names, structure } = flat);
      flat.leaves.forEach((leaf, index) => {
        requireFloat32(leaf, names[index]);
      });
      return [...flat.leaves];
    },
    [{ shape: [2], dtype: 'uint32' }],
  );
  const layout = createLayout(
    names.map((name, index) => ({ name, shape: program.outputs[index].aval.shape })),
  );
  return { program, layout, structure: structure! };
}

function requireFloat32(leaf: np.Array, name: string): void {
  if (leaf.dtype === 'float32') return;
  throw new TributaryError('INVALID_ARGUMENT', `parameter "${name}" has the type ${leaf.dtype}`, {
    hint: 'Parameters are float32; keep integers and masks in the batch or outside the model.',
  });
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dimension, index) => dimension === b[index]);
}

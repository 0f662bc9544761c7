import { grad, hessian, jit, jvp, lax, nn, numpy as np, random, vmap } from '@jax-js/jax';
import type { Case, Input } from './oracle/checkCase.ts';
import {
  integers,
  matrix,
  normal,
  positive,
  signedIntegers,
  truths,
  uniform,
  unsigned,
  vector,
} from './oracle/inputs.ts';

/* Above 400 lines, because it is one table: a row for each operation whose value and gradient are compared. */

type Fn = Case['fn'];
interface Options {
  /** Leave the gradient out where the function has none. */
  gradient?: false;
  tolerance?: number;
}

const table: Record<string, Case> = {};
function add(
  name: string,
  fn: Fn,
  inputs: readonly Input[],
  { gradient, tolerance = 2e-5 }: Options = {},
): void {
  if (name in table) throw new Error(`two cases are named ${name}`);
  table[name] = {
    fn,
    inputs,
    gradient: gradient ?? inputs.some(({ dtype }) => dtype === 'float32'),
    tolerance,
  };
}
const valueOnly: Options = { gradient: false };

// One operand.
const unary: Record<string, (x: np.Array) => np.Array> = {
  relu: nn.relu,
  relu6: nn.relu6,
  sigmoid: nn.sigmoid,
  softplus: nn.softplus,
  softSign: nn.softSign,
  silu: nn.silu,
  elu: nn.elu,
  selu: nn.selu,
  celu: nn.celu,
  gelu: (x) => nn.gelu(x),
  geluExact: (x) => nn.gelu(x, { approximate: false }),
  leakyRelu: nn.leakyRelu,
  mish: nn.mish,
  hardTanh: nn.hardTanh,
  logSigmoid: nn.logSigmoid,
  tanh: np.tanh,
  sinh: np.sinh,
  cosh: np.cosh,
  exp: np.exp,
  expm1: np.expm1,
  sin: np.sin,
  cos: np.cos,
  tan: (x) => np.tan(x.mul(0.5)),
  arctan: np.arctan,
  arcsin: (x) => np.arcsin(x.mul(0.25)),
  arccos: (x) => np.arccos(x.mul(0.25)),
  arcsinh: np.arcsinh,
  erf: lax.erf,
  erfc: lax.erfc,
  absolute: np.absolute,
  square: np.square,
  negative: (x) => x.neg(),
  clip: (x) => np.clip(x, -0.5, 0.5),
  power3: (x) => x.ref.mul(x.ref).mul(x),
  hypot: (x) => np.hypot(x.ref, x.mul(2).add(1)),
  logAddExp: (x) => np.logaddexp(x, 1),
  sinc: np.sinc,
  heaviside: (x) => np.heaviside(x, 0.5),
  sign: np.sign,
  floor: (x) => np.floor(x.mul(3)),
  ceil: (x) => np.ceil(x.mul(3)),
  trunc: (x) => np.trunc(x.mul(3)),
  round: (x) => np.round(x.mul(3)),
  remainder: (x) => np.remainder(x, 2),
  fmod: (x) => np.fmod(x, 2),
  stopGradient: (x) => lax.stopGradient(x),
};
/** Step functions, of which the derivative is 0 and is checked too, and one whose gradient jax-js does not define. */
for (const [name, fn] of Object.entries(unary)) {
  add(
    name,
    fn,
    [normal(4, 5)],
    name === 'stopGradient'
      ? valueOnly
      : { tolerance: name.startsWith('erf') || name === 'geluExact' ? 1e-4 : 2e-5 },
  );
}
add('log', np.log, [positive(3, 4)]);
add('log1p', np.log1p, [positive(3, 4)]);
add('log2', np.log2, [positive(3, 4)]);
add('sqrt', np.sqrt, [positive(3, 4)]);
add('cbrt', np.cbrt, [positive(3, 4)]);
add('reciprocal', np.reciprocal, [positive(3, 4)]);
add('power', (x) => np.power(x, 2.5), [positive(3, 4)], { tolerance: 1e-4 });
add('arccosh', (x) => np.arccosh(x.add(1)), [positive(3, 4)]);
add('arctanh', (x) => np.arctanh(x.mul(0.4)), [positive(3, 4)]);
add('erfcTail', lax.erfc, [uniform(1, 5, 20)], { tolerance: 1e-4 });
add('exp2', (x) => np.exp2(x), [normal(3, 4)]);
add('scalar', (x) => x.ref.mul(x).add(1), [normal()]);
add('isfinite', (x) => np.isfinite(np.reciprocal(x)), [vector(0, 1, -2)], valueOnly);

// Two operands: every way to broadcast.
const binary: Record<string, (x: np.Array, y: np.Array) => np.Array> = {
  add: (x, y) => x.add(y),
  sub: (x, y) => x.sub(y),
  mul: (x, y) => x.mul(y),
  div: (x, y) => x.div(y.ref.mul(y).add(1)),
  maximum: np.maximum,
  minimum: np.minimum,
  arctan2: np.arctan2,
};
for (const [name, fn] of Object.entries(binary)) {
  add(`${name}SameShape`, fn, [normal(3, 4), normal(3, 4)]);
  add(`${name}Row`, fn, [normal(3, 4), normal(4)]);
  add(`${name}Column`, fn, [normal(3, 1), normal(1, 4)]);
  add(`${name}Scalar`, fn, [normal(2, 3, 2), normal()]);
}
add('transposedOperand', (x, y) => x.transpose().mul(y), [normal(4, 3), normal(3, 4)]);
add('bothTransposed', (x, y) => x.transpose().mul(np.sin(y.transpose())), [normal(4, 3), normal(4, 3)]);
add('middleBroadcast', (x, y) => x.mul(y), [normal(2, 1, 4), normal(3, 1)]);
add('repeatedInBoth', (x, y) => np.exp(np.broadcastTo(x, [5, 3]).mul(np.broadcastTo(y, [5, 3]))), [
  normal(3),
  normal(1),
]);
add('reshapedBroadcast', (x, y) => np.broadcastTo(x, [2, 3, 4]).reshape([6, 4]).mul(y), [
  normal(3, 4),
  normal(6, 4),
]);
add(
  'splitBroadcast',
  (x, y) =>
    np
      .broadcastTo(x.reshape([1, 6]), [4, 6])
      .reshape([4, 2, 3])
      .mul(y),
  [normal(6), normal(2, 1)],
);
add(
  'incompatibleDigits',
  (x, y) =>
    x
      .reshape([4, 6])
      .transpose()
      .reshape([3, 8])
      .mul(y.reshape([3, 8])),
  [normal(24), normal(24)],
);
add('where', (x) => np.where(x.ref.greater(0), x.ref.mul(2), np.exp(x)), [normal(3, 4)]);
add(
  'whereTruths',
  (c, x) => np.where(c.ref, x.greater(0), np.logicalNot(c)),
  [truths(3, 4), normal(4)],
  valueOnly,
);
add('select', (c, x, y) => np.where(c, x, y), [truths(3, 1), normal(3, 4), normal(4)]);

// Whole numbers and truth values.
add('integerMod', (x) => x.mod(5), [signedIntegers(50, 20)], valueOnly);
add('integerModArray', (x, y) => x.mod(y.add(1)), [signedIntegers(50, 20), integers(6, 20)], valueOnly);
add(
  'integerArithmetic',
  (x, y) => x.ref.mul(y).add(x).sub(7),
  [signedIntegers(1000, 12), signedIntegers(1000, 12)],
  valueOnly,
);
add('integerOverflow', (x) => x.ref.mul(x), [signedIntegers(2 ** 30, 12)], valueOnly);
add('unsignedOverflow', (x, y) => x.ref.mul(y).add(x), [unsigned(12), unsigned(12)], valueOnly);
add('integerReduce', (x) => [x.ref.sum(1), x.ref.max(0), x.min()], [signedIntegers(90, 3, 4)], valueOnly);
add('unsignedReduce', (x) => [x.ref.max(0), x.ref.sum(1), x.min()], [unsigned(3, 4)], valueOnly);
add(
  'unsignedWhere',
  (x, c) => np.where(c, x, np.zeros([4], { dtype: np.uint32 })),
  [unsigned(4), truths(4)],
  valueOnly,
);
add(
  'integerMatmul',
  (x, y) => np.matmul(x, y),
  [signedIntegers(9, 3, 4), signedIntegers(9, 4, 2)],
  valueOnly,
);
add(
  'logical',
  (x, y) => [np.logicalAnd(x.ref, y.ref), np.logicalOr(x.ref, y.ref), np.logicalXor(x, y)],
  [truths(8), truths(8)],
  valueOnly,
);
add(
  'bitwise',
  (x, y) => [np.bitwiseAnd(x.ref, y.ref), np.bitwiseOr(x.ref, y.ref), np.bitwiseXor(x, y)],
  [signedIntegers(1e6, 8), signedIntegers(1e6, 8)],
  valueOnly,
);
add(
  'bitwiseUnsigned',
  (x, y) => [np.bitwiseAnd(x.ref, y.ref), np.bitwiseXor(x, y)],
  [unsigned(8), unsigned(8)],
  valueOnly,
);
add('invert', (x) => np.invert(x), [signedIntegers(1e6, 8)], valueOnly);
add(
  'shifts',
  (x, places) => [np.leftShift(x.ref, places.ref), np.rightShift(x, places)],
  [unsigned(8), integers(31, 8)],
  valueOnly,
);
add(
  'shiftsSigned',
  (x, places) => [np.leftShift(x.ref, places.ref), np.rightShift(x, places)],
  [signedIntegers(1e6, 8), integers(31, 8)],
  valueOnly,
);
add(
  'bitCount',
  (x) => [np.bitwiseCount(x.ref), np.bitwiseCount(x.astype(np.uint32))],
  [signedIntegers(2 ** 31 - 1, 16)],
  valueOnly,
);
add('bitcastToInteger', (x) => lax.bitcastConvertType(x, np.int32), [normal(6)], valueOnly);
add(
  'bitcastToFloat',
  (x) => lax.bitcastConvertType(np.bitwiseAnd(x, 0x3fffffff), np.float32),
  [signedIntegers(2 ** 30, 6)],
  valueOnly,
);
add(
  'comparisons',
  (x, y) => [
    x.ref.less(y.ref),
    x.ref.lessEqual(y.ref),
    x.ref.equal(y.ref),
    x.ref.notEqual(y.ref),
    x.greater(y),
  ],
  [integers(3, 4, 4), integers(3, 4)],
  valueOnly,
);
add(
  'casts',
  (x) => [x.ref.astype(np.int32), x.ref.greater(0).astype(np.float32), x.greater(0).astype(np.int32)],
  [uniform(-5, 5, 8)],
  valueOnly,
);
add(
  'castIntegers',
  (x) => [x.ref.astype(np.float32), x.ref.astype(np.uint32), x.astype(np.bool)],
  [signedIntegers(5, 8)],
  valueOnly,
);
add('mixedTypes', (i, x) => i.ref.mul(x).add(i), [integers(5, 4), normal(4)]);
add('argmax', (x) => [np.argmax(x.ref, 1), np.argmin(x, 0)], [normal(5, 7)], valueOnly);
add('anyAll', (x) => [np.any(x.ref.greater(1), 1), np.all(x.greater(-2), 0)], [normal(5, 7)], valueOnly);
add(
  'accuracy',
  (z, y) => np.argmax(z, 1).equal(y).astype(np.float32).mean(),
  [normal(16, 5), integers(5, 16)],
  valueOnly,
);
add('oneHot', (i) => nn.oneHot(i, 7), [integers(7, 9)], valueOnly);

// Reductions.
for (const [axisName, axis] of [
  ['All', null],
  ['First', 0],
  ['Middle', 1],
  ['Last', 2],
  ['Outer', [0, 2]],
  ['Inner', [1, 2]],
] as const) {
  const at = axis as number | number[] | null;
  add(`sum${axisName}`, (x) => x.sum(at), [normal(2, 3, 4)]);
  add(`mean${axisName}`, (x) => np.square(x.mean(at)), [normal(2, 3, 4)]);
  add(`max${axisName}`, (x) => x.max(at), [normal(2, 3, 4)]);
  add(`prod${axisName}`, (x) => x.prod(at), [positive(2, 3, 4)]);
}
add('min', (x) => x.min(1), [normal(3, 4)]);
add('sumKeepingAxes', (x) => x.ref.div(x.sum(1, { keepdims: true })), [positive(3, 4)]);
add('sumOfTransposed', (x) => x.transpose([2, 0, 1]).sum([0, 2]), [normal(2, 3, 4)]);
add('sumOfRepeated', (x) => np.broadcastTo(x, [5, 3, 4]).sum([0, 2]), [normal(3, 1)]);
add('productOfRepeated', (x) => np.prod(np.broadcastTo(x, [3, 4]), 0), [positive(4)]);
add('variance', (x) => np.var_(x, 1), [normal(3, 4)]);
add('std', (x) => np.std(x, 0), [normal(3, 4)]);
add('cumsum', (x) => np.cumsum(x, 1), [normal(3, 4)]);
add('norm', (x) => np.linalg.norm(x), [normal(5, 7)]);
add('softmax', (x) => nn.softmax(x), [normal(4, 6)]);
add('logSoftmax', (x) => nn.logSoftmax(x), [normal(4, 6)]);
add('logSumExp', (x) => nn.logsumexp(x, 1), [normal(4, 6)]);
add('standardize', (x) => nn.standardize(x), [normal(4, 6)], { tolerance: 1e-4 });
add('glu', (x) => nn.glu(x), [normal(4, 6)]);

// Products.
const product =
  (fn: (x: np.Array, y: np.Array) => np.Array): Fn =>
  (x, y) =>
    np.square(fn(x, y));
add('matmul', product(np.matmul), [normal(5, 7), normal(7, 3)]);
add('matmulBatched', product(np.matmul), [normal(2, 5, 4), normal(2, 4, 3)]);
add('matmulSharedRight', product(np.matmul), [normal(3, 2, 5, 4), normal(4, 3)]);
add('matmulCrossBroadcast', product(np.matmul), [normal(3, 1, 5, 4), normal(2, 4, 3)]);
add(
  'matmulLeftTransposed',
  product((x, y) => np.matmul(x.transpose(), y)),
  [normal(7, 5), normal(7, 3)],
);
add(
  'matmulRightTransposed',
  product((x, y) => np.matmul(x, y.transpose())),
  [normal(5, 7), normal(3, 7)],
);
add(
  'matmulResultTransposed',
  product((x, y) => np.matmul(x, y).transpose()),
  [normal(5, 7), normal(7, 3)],
);
add(
  'matmulScaled',
  product((x, y) => np.matmul(x, y).mul(0.3)),
  [normal(5, 7), normal(7, 3)],
);
add('matmulPlusRow', (x, y, b) => np.square(np.matmul(x, y).add(b)), [normal(5, 7), normal(7, 3), normal(3)]);
add('matmulPlusRowBatched', (x, y, b) => np.square(np.matmul(x, y).add(b)), [
  normal(2, 5, 7),
  normal(7, 3),
  normal(3),
]);
add('matmulPlusColumn', (x, y, b) => np.square(np.matmul(x, y).add(b)), [
  normal(5, 7),
  normal(7, 3),
  normal(5, 1),
]);
add('matmulPlusMatrix', (x, y, b) => np.square(np.matmul(x, y).add(b)), [
  normal(5, 7),
  normal(7, 3),
  normal(5, 3),
]);
add(
  'matmulReadTwice',
  (x, y) => {
    const z = np.matmul(x, y);
    return z.ref.transpose().add(z.mul(2).transpose());
  },
  [normal(5, 7), normal(7, 3)],
);
add('gram', (x) => np.square(np.matmul(x.ref.transpose(), x)), [normal(6, 4)]);
add('matvec', product(np.matvec), [normal(5, 7), normal(7)]);
add('vecmat', product(np.vecmat), [normal(5), normal(5, 7)]);
add('vdot', np.vdot, [normal(7), normal(7)]);
add('vecdot', (x, y) => np.vecdot(x, y), [normal(5, 7), normal(5, 7)]);
add('outer', product(np.outer), [normal(4), normal(5)]);
add('inner', product(np.inner), [normal(4, 6), normal(5, 6)]);
add(
  'tensordot',
  product((x, y) => np.tensordot(x, y, 2)),
  [normal(4, 3, 2), normal(3, 2, 5)],
);
const einsum =
  (subscripts: string): Fn =>
  (...arrays) =>
    np.square(np.einsum(subscripts, ...arrays));
add('einsumBatched', einsum('bij,bkj->bik'), [normal(2, 4, 6), normal(2, 5, 6)]);
add('einsumHeads', einsum('bthd,hdk->btk'), [normal(2, 3, 4, 2), normal(4, 2, 3)]);
add('einsumScores', einsum('bqhd,bkhd->bhqk'), [normal(2, 3, 2, 4), normal(2, 5, 2, 4)]);
add('einsumMixed', einsum('abc,cbd->da'), [normal(2, 3, 4), normal(4, 3, 5)]);
add('einsumChain', einsum('ij,jk,kl->li'), [normal(2, 3), normal(3, 4), normal(4, 2)]);
add('einsumSummedAway', einsum('ij,jk->k'), [normal(2, 3), normal(3, 4)]);
add('einsumOuterBatch', einsum('bi,bj->bij'), [normal(3, 2), normal(3, 4)]);
add('einsumDiagonal', (x) => np.einsum('ii->i', x), [normal(4, 4)]);
add('trace', (x) => np.trace(x), [normal(4, 4)]);
add('dotRepeated', (x, y) => np.matmul(np.broadcastTo(x, [3, 4]), y), [normal(4), normal(4, 2)]);
add('dotRepeatedContraction', (x, y) => np.matmul(np.broadcastTo(x, [3, 4]), y), [
  normal(3, 1),
  normal(4, 2),
]);

// Shapes.
add(
  'transposes',
  (x) => np.square(x.ref.transpose([2, 0, 1]).reshape([4, 6]).transpose().add(1).reshape([2, 3, 4]).mul(x)),
  [normal(2, 3, 4)],
);
add('concatenate', (x, y) => np.concatenate([x, y.mul(2)], 1), [normal(2, 3), normal(2, 4)]);
add('concatenateTransposed', (x, y) => np.concatenate([x.transpose(), y], 0), [normal(2, 3), normal(4, 2)]);
add('stack', (x, y) => np.stack([x, y], 1), [normal(2, 3), normal(2, 3)]);
add(
  'split',
  (x) => {
    const [a, b] = np.split(x, 2, 1);
    return a.mul(np.exp(b));
  },
  [normal(2, 6)],
);
add('slice', (x) => x.slice([1, 3], 2, null), [normal(4, 5)]);
add('sliceRange', (x) => x.slice([], [1, 4]), [normal(4, 5)]);
add(
  'pad',
  (x) =>
    np.square(
      np
        .pad(x, [
          [1, 2],
          [0, 3],
        ])
        .add(1),
    ),
  [normal(3, 4)],
);
add('flip', (x) => np.flip(x, 1), [normal(3, 4)]);
add('flipBoth', (x) => np.flip(x), [normal(3, 4)]);
add('roll', (x) => np.roll(x, 2, 1), [normal(3, 5)]);
add('tile', (x) => np.tile(x, [2, 3]), [normal(3, 4)]);
add('repeat', (x) => np.repeat(x, 3, 1), [normal(3, 4)]);
add('broadcastTo', (x) => np.square(np.broadcastTo(x, [5, 3, 4])), [normal(3, 1)]);
add('tril', (x) => np.tril(x), [normal(4, 4)]);
add('triu', (x) => np.triu(x, 1), [normal(4, 4)]);
add('diag', (x) => np.diag(x), [normal(4)]);
add('diagonal', (x) => np.diagonal(x), [normal(4, 4)]);
add('moveaxis', (x) => np.moveaxis(x, 0, 2), [normal(2, 3, 4)]);
add('meshgrid', (x, y) => np.meshgrid([x, y]), [normal(3), normal(4)]);
add('identityOutput', (x) => [x.ref, x], [normal(3)]);
add('constantOutput', (x) => [x, np.arange(4), np.array(3)], [normal(3)]);

// Indexing and sorting.
const fixed = (...values: number[]) => np.array(values, { dtype: np.int32 });
add('takeRows', (x, i) => np.take(x, i, 0), [normal(5, 3), integers(5, 6)]);
add('takeColumns', (x, i) => np.take(x, i, 1), [normal(3, 5), integers(5, 6)]);
add('takeMatrix', (x, i) => np.take(x, i, 0), [normal(5, 3), integers(5, 2, 3)]);
add('takeRepeated', (x) => np.take(x, fixed(1, 1, 1, 2), 0), [normal(5)]);
add('takeNegative', (x) => np.take(x, fixed(-1, 0, -2), 0), [normal(5)]);
add('takeAlong', (x, i) => np.takeAlongAxis(x, i, 1), [normal(4, 5), integers(5, 4, 1)]);
add('pairsOfIndices', (x, i, j) => x.slice(i, j), [normal(4, 5), integers(4, 3), integers(5, 3)]);
add('indexInTheMiddle', (x, i) => x.slice([], i, [0, 2]), [normal(2, 5, 3), integers(5, 3)]);
add('embeddingLookup', (x, i) => np.square(np.take(x, i, 0)).sum(1), [normal(6, 3), integers(6, 8)]);
add('crossEntropyByIndex', (z, i) => np.takeAlongAxis(nn.logSoftmax(z), i, 1).neg(), [
  normal(6, 4),
  integers(4, 6, 1),
]);
add('sort', (x) => np.sort(x, 1), [normal(4, 5)]);
add('argsort', (x) => np.argsort(x, 1), [normal(4, 5)], valueOnly);
add('sortIntegers', (x) => np.sort(x), [signedIntegers(9, 12)], valueOnly);
add('sortUnsigned', (x) => np.sort(x), [unsigned(12)], valueOnly);
add('topK', (x) => lax.topK(x, 2)[0], [normal(4, 5)]);

// Convolutions.
const conv =
  (strides: number[], padding: 'SAME' | 'VALID', options = {}): Fn =>
  (x, k) =>
    lax.convGeneralDilated(x, k, strides, padding, options);
add('convSame', conv([1, 1], 'SAME'), [normal(2, 2, 5, 5), normal(3, 2, 3, 3)]);
add('convValid', conv([1, 1], 'VALID'), [normal(2, 2, 5, 5), normal(3, 2, 3, 3)]);
add('convStride', conv([2, 2], 'SAME'), [normal(2, 2, 7, 6), normal(3, 2, 3, 3)]);
add('convUnequalStride', conv([3, 2], 'VALID'), [normal(2, 2, 8, 7), normal(3, 2, 3, 3)]);
add('convUnusedBorder', conv([2, 2], 'VALID'), [normal(1, 2, 6, 8), normal(2, 2, 3, 3)]);
add('convDilated', conv([1, 1], 'VALID', { rhsDilation: [2, 2] }), [normal(1, 2, 7, 7), normal(2, 2, 3, 3)]);
const padded =
  (padding: [number, number][], options = {}): Fn =>
  (x, k) =>
    lax.convGeneralDilated(x, k, [1, 1], padding, options);
add(
  'convImageDilated',
  padded(
    [
      [1, 2],
      [0, 1],
    ],
    { lhsDilation: [2, 2] },
  ),
  [normal(1, 2, 4, 4), normal(2, 2, 3, 3)],
);
add(
  'convImageDilatedUnequally',
  padded(
    [
      [3, 3],
      [1, 1],
    ],
    { lhsDilation: [3, 2] },
  ),
  [normal(1, 2, 3, 4), normal(2, 2, 3, 3)],
);
add(
  'convCropped',
  padded([
    [-1, 0],
    [0, -2],
  ]),
  [normal(1, 2, 7, 7), normal(2, 2, 3, 3)],
);
add('convManyChannels', conv([1, 1], 'SAME'), [normal(2, 9, 5, 5), normal(3, 9, 3, 3)]);
add('convManyChannelsStride', conv([2, 2], 'SAME'), [normal(2, 9, 6, 5), normal(3, 9, 3, 3)]);
add('convGroups', conv([1, 1], 'SAME', { featureGroupCount: 2 }), [normal(2, 4, 4, 4), normal(4, 2, 3, 3)]);
add('convDepthwise', conv([1, 1], 'SAME', { featureGroupCount: 4 }), [
  normal(2, 4, 4, 4),
  normal(4, 1, 3, 3),
]);
add('convDepthwiseStride', conv([2, 2], 'SAME', { featureGroupCount: 2 }), [
  normal(1, 2, 5, 5),
  normal(2, 1, 3, 3),
]);
add('conv1d', conv([1], 'SAME'), [normal(2, 3, 8), normal(4, 3, 3)]);
add('conv1dStride', conv([2], 'SAME'), [normal(2, 3, 9), normal(4, 3, 3)]);
add('conv1x1', conv([1, 1], 'SAME'), [normal(2, 3, 4, 4), normal(4, 3, 1, 1)]);
add('conv3d', conv([1, 1, 1], 'SAME'), [normal(1, 2, 3, 3, 3), normal(2, 2, 2, 2, 2)]);
add('convTranspose', (x, k) => lax.convTranspose(x, k, [2, 2], 'SAME'), [
  normal(1, 2, 3, 3),
  normal(3, 2, 3, 3),
]);
add(
  'convMapped',
  (x, k) => vmap((a: np.Array, b: np.Array) => lax.conv(a, b, [1, 1], 'SAME'), [0, null])(x, k),
  [normal(2, 1, 2, 4, 4), normal(2, 2, 3, 3)],
);
add(
  'convMappedTwice',
  (x, k) =>
    vmap(
      vmap((a: np.Array, b: np.Array) => lax.conv(a, b, [1, 1], 'VALID'), [0, null]),
      [null, 0],
    )(x, k),
  [normal(2, 1, 2, 4, 4), normal(3, 2, 2, 3, 3)],
);
const window =
  (reduction: (x: np.Array) => np.Array, size: number[], strides: number[]): Fn =>
  (x) =>
    lax.reduceWindow(x, reduction, size, strides);
add('maxPool', window(np.max, [2, 2], [2, 2]), [normal(2, 2, 4, 6)]);
add('maxPoolOdd', window(np.max, [2, 2], [2, 2]), [normal(2, 2, 5, 7)]);
add('maxPoolOverlapping', window(np.max, [3, 3], [2, 2]), [normal(1, 2, 7, 7)]);
add('maxPoolOneAxis', window(np.max, [2], [2]), [normal(2, 3, 6)]);
add('meanPool', window(np.mean, [2, 2], [2, 2]), [normal(2, 2, 4, 4)]);
add('meanPoolOverlapping', window(np.mean, [3, 3], [1, 1]), [normal(1, 2, 5, 5)]);
add('meanPoolUnequal', window(np.mean, [2, 3], [2, 3]), [normal(1, 2, 4, 6)]);
add('meanPoolGaps', window(np.mean, [2, 2], [3, 3]), [normal(1, 2, 8, 8)]);

// Networks and transformations.
add('attention', (q, k, v) => nn.dotProductAttention(q, k, v, { isCausal: true }), [
  normal(2, 4, 2, 3),
  normal(2, 4, 2, 3),
  normal(2, 4, 2, 3),
]);
add('attentionGrouped', (q, k, v) => nn.dotProductAttention(q, k, v), [
  normal(2, 4, 4, 3),
  normal(2, 4, 2, 3),
  normal(2, 4, 2, 3),
]);
add(
  'gradientsPerExample',
  (w, x) =>
    vmap(
      grad((u: np.Array, y: np.Array) => np.square(np.dot(u, y)).mul(0.5)),
      [null, 0],
    )(w, x),
  [normal(4), normal(6, 4)],
  valueOnly,
);
add(
  'hessian',
  (w) => hessian((u: np.Array) => np.exp(u.ref).mul(np.flip(u)).sum())(w),
  [normal(5)],
  valueOnly,
);
add(
  'hessianVector',
  (w, v) =>
    jvp(
      grad((u: np.Array) => np.sin(u.ref).mul(u).sum()),
      [w],
      [v],
    )[1],
  [normal(5), normal(5)],
);
add('insideJit', (x) => jit((y: np.Array) => np.tanh(y.ref).mul(y))(x), [normal(4, 5)]);
add(
  'recurrent',
  (w, x) => {
    let h = np.zeros([2, 4]);
    for (let t = 0; t < 3; t++) h = np.tanh(np.dot(np.concatenate([x.ref.slice([], t), h], 1), w.ref));
    return h;
  },
  [normal(7, 4), normal(2, 3, 3)],
);
add('firstOfMany', (x) => x.slice(0), [normal(3)]);
add('firstTwo', (x) => x.slice([0, 2]).sum(), [normal(3)]);
add('meanOfColumn', (x) => x.slice([], 0).mean(), [normal(2, 3)]);
add('logSoftmaxElement', (x) => nn.logSoftmax(x).slice(0), [normal(5)]);

// Random numbers: the same bits as the keys say.
const keyInput: Input = { shape: [2], dtype: 'uint32', data: Uint32Array.of(12345, 0xdeadbeef) };
add('randomBits', (key) => random.bits(key, [7]), [keyInput], valueOnly);
add('randomUniform', (key) => random.uniform(key, [3, 4]), [keyInput], valueOnly);
add('randomNormal', (key) => random.normal(key, [3, 4]), [keyInput], { gradient: false, tolerance: 1e-4 });
add('randomSplit', (key) => random.split(key, 3), [keyInput], valueOnly);
add('bernoulli', (key) => random.bernoulli(key, 0.3, [20]), [keyInput], valueOnly);
add('dropoutMask', (x, key) => np.where(random.bernoulli(key, 0.5, [4, 5]), x, 0), [normal(4, 5), keyInput]);

// Linear algebra, between the graphs.
const spd = (a: np.Array) => np.matmul(a.ref, np.matrixTranspose(a)).add(np.eye(4));
add('cholesky', (a) => np.linalg.cholesky(spd(a)), [normal(4, 4)], { tolerance: 1e-4 });
add('solve', (a, b) => np.linalg.solve(a, b), [matrix(4), normal(4, 2)], { tolerance: 1e-4 });
add('inverse', (a) => np.linalg.inv(a), [matrix(4)], { tolerance: 1e-4 });
add('determinant', (a) => np.linalg.det(a), [matrix(3)], { tolerance: 1e-4 });
add('logDeterminant', (a) => np.linalg.slogdet(a)[1], [matrix(4)], { tolerance: 1e-4 });
add('lu', (a) => [...lax.linalg.lu(a)], [normal(4, 4)], { gradient: false, tolerance: 1e-4 });
add('triangularSolve', (a, b) => lax.linalg.triangularSolve(np.triu(a), b, {}), [matrix(4), normal(2, 4)], {
  tolerance: 1e-4,
});
add(
  'fft',
  (x, y) => {
    const { real, imag } = np.fft.fft({ real: x, imag: y });
    return [real, imag];
  },
  [normal(2, 8), normal(2, 8)],
);
add(
  'fftOdd',
  (x, y) => {
    const { real, imag } = np.fft.fft({ real: x, imag: y });
    return [real, imag];
  },
  [normal(6), normal(6)],
  { tolerance: 1e-4 },
);
add(
  'inverseFft',
  (x, y) => {
    const { real, imag } = np.fft.ifft({ real: x, imag: y });
    return [real, imag];
  },
  [normal(8), normal(8)],
);
add('realFft', (x) => np.fft.rfft(x).real, [normal(8)]);
add(
  'gaussianProcess',
  (a, y) => {
    const l = np.linalg.cholesky(spd(a));
    const alpha = lax.linalg.triangularSolve(l.ref, y.reshape([4, 1]), { leftSide: true, lower: true });
    return np
      .square(alpha)
      .sum()
      .mul(0.5)
      .add(np.log(np.diagonal(l)).sum());
  },
  [normal(4, 4), normal(4)],
  { tolerance: 1e-4 },
);

export const cases: Readonly<Record<string, Case>> = table;

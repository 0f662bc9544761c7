import { type numpy as np, random } from '@jax-js/jax';
import {
  type Affine,
  type AttentionParameters,
  dense,
  embedding,
  gelu,
  initialAttention,
  initialDense,
  initialEmbedding,
  initialNormalisation,
  layerNorm,
  multiHeadAttention,
  type ScaleAndOffset,
} from 'tributary';

export type Block = {
  readonly norm1: ScaleAndOffset;
  readonly attention: AttentionParameters;
  readonly norm2: ScaleAndOffset;
  readonly expand: Affine;
  readonly contract: Affine;
};

export type Transformer = {
  readonly characters: np.Array;
  readonly positions: np.Array;
  readonly blocks: readonly Block[];
  readonly norm: ScaleAndOffset;
  readonly output: Affine;
};

export interface Size {
  readonly characters: number;
  /** Characters that it looks back on. */
  readonly positions: number;
  readonly width: number;
  readonly heads: number;
  readonly blocks: number;
}

export function initialTransformer(
  key: np.Array,
  { characters, positions, width, blocks }: Size,
): Transformer {
  const [forCharacters, forPositions, forOutput, ...forBlocks] = random.split(key, 3 + blocks);
  return {
    characters: initialEmbedding(forCharacters, characters, width),
    positions: initialEmbedding(forPositions, positions, width),
    blocks: forBlocks.map((blockKey) => initialBlock(blockKey, width)),
    norm: initialNormalisation(width),
    output: initialDense(forOutput, width, characters),
  };
}

/**
 * For each place of each text the scores of all characters to come next: x, int32[examples, positions], gives float32[examples, positions, characters]. Each
 * place sees only what is before it (Vaswani et al., 2017), and normalisation comes before each part (Xiong et al., 2020), which needs no warm-up.
 */
export function nextCharacters(
  { characters, positions, blocks, norm, output }: Transformer,
  x: np.Array,
  { heads }: Size,
): np.Array {
  let h = embedding(characters, x).add(positions);
  for (const block of blocks) h = applyBlock(block, h, heads);
  return dense(output, layerNorm(norm, h));
}

function initialBlock(key: np.Array, width: number): Block {
  const [forAttention, forExpand, forContract] = random.split(key, 3);
  return {
    norm1: initialNormalisation(width),
    attention: initialAttention(forAttention, width),
    norm2: initialNormalisation(width),
    expand: initialDense(forExpand, width, 4 * width),
    contract: initialDense(forContract, 4 * width, width),
  };
}

function applyBlock({ norm1, attention, norm2, expand, contract }: Block, x: np.Array, heads: number) {
  const mixed = x.ref.add(multiHeadAttention(attention, layerNorm(norm1, x), { heads, causal: true }));
  return mixed.ref.add(dense(contract, gelu(dense(expand, layerNorm(norm2, mixed)))));
}

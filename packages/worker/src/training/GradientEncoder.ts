import type { EncodedGradient } from '@tributary/client/ParameterClient.ts';
import type { EncodedPiece, VectorEncoding } from '@tributary/core/codec/VectorEncoding.ts';
import type { Range } from '@tributary/core/partition/partition.ts';

/**
 * A gradient that is encoded piece by piece when the wire is ready for it, so that the first bytes leave before the last are encoded. Each piece is encoded once, however often it
 * is sent, as that changes what it is made of.
 */
export class GradientEncoder implements EncodedGradient {
  readonly name: string;
  readonly encoding: VectorEncoding;
  readonly bytes: Uint8Array;
  readonly #encodePiece: (piece: EncodedPiece) => void;
  /** Those that are not encoded yet, in order. */
  #todo: readonly EncodedPiece[];

  /** For a vector of `length` elements. */
  constructor(
    name: string,
    encoding: VectorEncoding,
    length: number,
    bytes: Uint8Array,
    encodePiece: (piece: EncodedPiece) => void,
  ) {
    this.name = name;
    this.encoding = encoding;
    this.bytes = bytes;
    this.#encodePiece = encodePiece;
    this.#todo = [...encoding.pieces({ begin: 0, end: length })];
  }

  readonly encode = ({ begin, end }: Range): void => {
    const isIn = (piece: Range) => piece.begin < end && piece.end > begin;
    const pieces = this.#todo.filter(isIn);
    if (pieces.length === 0) return;
    this.#todo = this.#todo.filter((piece) => !isIn(piece));
    for (const piece of pieces) this.#encodePiece(piece);
  };

  /** Encodes what nobody asked for. */
  finish(): void {
    const pieces = this.#todo;
    this.#todo = [];
    for (const piece of pieces) this.#encodePiece(piece);
  }
}

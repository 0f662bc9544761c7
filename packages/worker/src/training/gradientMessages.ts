import type { ErrorCode } from '@tributary/core/errors/TributaryError.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import type { RankRange } from '@tributary/core/reduction/tree.ts';
import type { ComputeChoice } from '../compute/openBackend.ts';

/** What a worker's two threads say to each other. Floats do not travel here: they lie in shared memory. */
export interface GradientThreadData {
  readonly jobFile: string;
  readonly spec: JobSpec;
  readonly compute: ComputeChoice;
  readonly computeThreads: number;
  readonly selfCheck: boolean;
  /** Shared: the flat parameters that the main thread pulls into. */
  readonly parameters: Float32Array;
  /** Shared: gradient sums on their way to the servers. */
  readonly gradients: readonly Float32Array[];
}

export type GradientRequest =
  /** Computes the weighted gradient sum of one node of the reduction tree into gradients[slot]. */
  | { readonly kind: 'sum'; readonly node: RankRange; readonly step: number; readonly slot: number }
  | { readonly kind: 'evaluate' };

export type GradientReply =
  | { readonly kind: 'ready'; readonly backend: string; readonly note: string }
  | ({ readonly kind: 'sum' } & NodeSum)
  | { readonly kind: 'evaluation'; readonly loss: number; readonly accuracy: number | null }
  | {
      readonly kind: 'error';
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string | undefined;
    };

export interface NodeSum {
  /** Examples behind the sum. */
  readonly weight: number;
  /** The sum of the loss over them. */
  readonly loss: number;
  /** Every loss and every element of the gradient is finite. */
  readonly finite: boolean;
}

import type { ErrorCode } from '@tributary/core/errors/TributaryError.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import type { RankRange } from '@tributary/core/reduction/tree.ts';
import type { Span } from '@tributary/core/trace/Trace.ts';
import type { Prediction } from '../autodiff/kroneckerFactors.ts';
import type { ComputeChoice } from '../compute/openBackend.ts';
import type { BlockTask } from '../methods/quantum/BlockTask.ts';

/** What a worker's two threads say to each other. Floats do not travel here: they lie in shared memory. */
export interface GradientThreadData {
  readonly jobFile: string;
  readonly spec: JobSpec;
  readonly compute: ComputeChoice;
  readonly computeThreads: number;
  readonly selfCheck: boolean;
  readonly traced: boolean;
}

/** What is computed, for a mean over examples. Points and vectors are flat, of the model's parameters, and in shared memory. */
export type Quantity =
  | { readonly kind: 'loss' | 'gradient'; readonly at: Float32Array }
  /** Of the parameters at these places: in order, and apart. */
  | { readonly kind: 'hessian' | 'metric'; readonly at: Float32Array; readonly places: readonly Range[] }
  | { readonly kind: 'kroneckerFactors'; readonly at: Float32Array; readonly prediction: Prediction }
  | {
      readonly kind: 'hessianVector' | 'gaussNewtonVector';
      readonly at: Float32Array;
      readonly vector: Float32Array;
    };

/** What needs no examples: each of all ranks does its part, and the parts are summed. */
export interface SharedWork {
  readonly kind: 'blocks';
  readonly task: BlockTask;
  readonly ranks: number;
}

export type GradientRequest =
  /** Computes the weighted sum of a quantity over one node of the reduction tree into `target`, which is shared. */
  | {
      readonly kind: 'sum';
      readonly quantity: Quantity | SharedWork;
      readonly node: RankRange;
      readonly step: number;
      readonly target: Float32Array;
    }
  | { readonly kind: 'evaluate'; readonly at: Float32Array }
  /** The thread ends as soon as it computes nothing; what was asked before is not answered any more. */
  | { readonly kind: 'stop' };

/** What these ranks are to compute next may be read until the next request comes. There is no reply. */
export interface ReadAhead {
  readonly kind: 'readAhead';
  readonly ranks: readonly number[];
  readonly step: number;
}

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

/** With what has been measured since the last reply, if anything is. */
export type TracedReply = GradientReply & { readonly spans?: readonly Span[] };

export interface NodeSum {
  /** Examples behind the sum. */
  readonly weight: number;
  /** The sum of the loss over them; 0 if it does not come with the quantity. */
  readonly loss: number;
  /** The loss and every element are finite. */
  readonly finite: boolean;
  /** The sum over ranks of (examples x squared norm of the rank's mean gradient), if that is measured. */
  readonly squares?: number;
}

import { initialiseJax } from '../autodiff/initialiseJax.ts';
import type { ComputeBackend } from './ComputeBackend.ts';
import { ReferenceBackend } from './reference/ReferenceBackend.ts';

/** The backends by the names that `--compute` takes. */
export type ComputeChoice = 'reference';

export async function openBackend(choice: ComputeChoice): Promise<ComputeBackend> {
  await initialiseJax();
  switch (choice) {
    case 'reference':
      return new ReferenceBackend();
  }
}

import { initialiseJax } from '../autodiff/initialiseJax.ts';
import { AutoBackend } from './AutoBackend.ts';
import type { ComputeBackend } from './ComputeBackend.ts';
import { NativeBackend, type NativeOptions } from './native/NativeBackend.ts';
import { ReferenceBackend } from './reference/ReferenceBackend.ts';

/** The backends by the names that `--compute` takes. */
export const computeChoices = ['auto', 'native', 'reference'] as const;
export type ComputeChoice = (typeof computeChoices)[number];

export interface BackendOptions extends NativeOptions {
  /** Told in one line, under `auto`, why a program runs on the reference backend. */
  readonly onFallback?: (line: string) => void;
}

/** A backend, ready: jax-js is initialised too. */
export async function openBackend(
  choice: ComputeChoice,
  options: BackendOptions = {},
): Promise<ComputeBackend> {
  await initialiseJax();
  switch (choice) {
    case 'native':
      return new NativeBackend(options);
    case 'reference':
      return new ReferenceBackend();
    case 'auto':
      return new AutoBackend(
        new NativeBackend(options),
        new ReferenceBackend(),
        options.onFallback ?? (() => {}),
      );
  }
}

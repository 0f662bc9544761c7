import { writeFileSync } from 'node:fs';
import { encodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { loadParameters } from '@tributary/worker/parameters/loadParameters.ts';
import { writing } from '../files/writing.ts';
import { parameterHash } from '../parameters/parameterHash.ts';
import { type ParameterSource, parameterPlace } from '../parameters/parameterPlace.ts';

export interface ExportFlags extends ParameterSource {
  readonly to: string;
}

export async function exportParameters(given: ExportFlags): Promise<void> {
  const { layout, flat, description } = await loadParameters(parameterPlace(given, undefined));
  writing(given.to, () => writeFileSync(given.to, encodeSafetensors(layout, flat)));
  process.stdout.write(
    `${given.to}: ${layout.tensors.length} tensors, ${layout.length} parameters of ${description}, sha-256 ${parameterHash(flat)}\n`,
  );
}

import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { listJobs } from '@tributary/coordinator/listJobs.ts';
import { asTributaryError } from '@tributary/core/errors/TributaryError.ts';
import { createKernels } from '@tributary/core/kernels/createKernels.ts';
import { openBackend } from '@tributary/worker/compute/openBackend.ts';
import { missingHere } from '../config.ts';
import { exitCodes } from '../exitCodes.ts';
import { launchCommand, launchSettings } from '../launcher/launchSettings.ts';
import { summaryTable } from '../progress/summaryTable.ts';

export interface DoctorFlags {
  readonly coordinator?: string;
  readonly json?: boolean;
}

interface Finding {
  readonly name: string;
  /** `off`: it works, more slowly. */
  readonly state: 'ok' | 'off' | 'broken';
  readonly detail: string;
}

const hugePages = '/sys/kernel/mm/transparent_hugepage/enabled';

export async function doctor(given: DoctorFlags): Promise<void> {
  const findings = [
    found('node', process.version),
    found('machine', `${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB of memory`),
    kernels(),
    await checked('native compute', computeOnce),
    ...(given.coordinator === undefined ? [] : [await coordinator(given.coordinator)]),
    systemHugePages(),
    ...settings(),
  ];
  if (given.json) process.stdout.write(`${JSON.stringify({ findings, launchCommand: launchCommand() })}\n`);
  else {
    const rows = findings.map(
      ({ name, state, detail }) => [name, `${state.padEnd(6)}  ${detail}`] as [string, string],
    );
    process.stdout.write(`${summaryTable(rows)}\n\n`);
    process.stdout.write(
      'tributary train starts its servers and workers with all of these settings. By hand:\n\n' +
        `  ${launchCommand()} ${process.argv[1]} server ...\n`,
    );
  }
  if (findings.some(({ state }) => state === 'broken')) process.exitCode = exitCodes.failed;
}

function found(name: string, detail: string): Finding {
  return { name, state: 'ok', detail };
}

/** What `check` says, or the error that it throws. */
async function checked(name: string, check: () => Promise<string>): Promise<Finding> {
  try {
    return found(name, await check());
  } catch (error) {
    return { name, state: 'broken', detail: asTributaryError(error).line };
  }
}

function kernels(): Finding {
  const { name } = createKernels();
  if (name === 'simd') return found('kernels', 'WebAssembly SIMD');
  return { name: 'kernels', state: 'off', detail: 'plain loops: this Node runs without WebAssembly' };
}

/** Compiles and runs one small program. */
async function computeOnce(): Promise<string> {
  const backend = await openBackend('native');
  const program = await backend.compile((x) => [x.mul(2)], [{ shape: [2], dtype: 'float32' }]);
  const result = new Float32Array(2);
  await program.run([Float32Array.of(1, 2)], [result]);
  program.dispose();
  if (result[0] !== 2 || result[1] !== 4) throw new Error(`twice [1, 2] is [${result.join(', ')}]`);
  return 'ONNX Runtime runs';
}

function coordinator(url: string): Promise<Finding> {
  return checked('coordinator', async () => `${url} is there, with ${(await listJobs(url)).length} jobs`);
}

/** `malloc in huge pages` asks the system for them; it may have been told never to give any. */
function systemHugePages(): Finding {
  const name = 'huge pages of the system';
  if (!existsSync(hugePages)) return { name, state: 'off', detail: 'this system has none' };
  const chosen = /\[(\w+)\]/.exec(readFileSync(hugePages, 'utf8'))?.[1] ?? 'unknown';
  if (chosen !== 'never') return found(name, chosen);
  return { name, state: 'off', detail: `echo madvise > ${hugePages} (as root) allows them` };
}

function settings(): Finding[] {
  return launchSettings.map((setting) => {
    const { name, set, why } = setting;
    const how = 'variable' in set ? `${set.variable}=${set.value}` : set.flag;
    return { name, state: missingHere.includes(setting) ? 'off' : 'ok', detail: `${how}: ${why}` };
  });
}

/**
 * Compiles the SIMD kernels, packages/core/assembly (AssemblyScript), to modules beside the code that runs them, which are committed, so that
 * nobody needs the compiler to run Tributary. `node scripts/kernels.ts` after every change of a kernel; tests compare.
 */
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const core = join(import.meta.dirname, '../packages/core');

/** Where the compiled kernels are kept: those of vectors, of quantum states, and of matrices. */
export const kernelModuleFile = join(core, 'src/kernels/kernelModule.ts');
export const gateModuleFile = join(core, 'src/quantum/state/gateModule.ts');
export const multiplyModuleFile = join(core, 'src/optimizer/matrix/multiplyModule.ts');

/** The source text of such a file. Throws with the compiler's words if the kernels do not compile. */
export function compileKernels(pattern = 'assembly/*.ts'): string {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-kernels-'));
  try {
    const output = join(folder, 'kernels.wasm');
    const sources = globSync(pattern, { cwd: core }).filter((file) => !file.endsWith('lanes.ts'));
    const compiler = join(core, 'node_modules/assemblyscript/bin/asc.js');
    execFileSync(
      process.execPath,
      [compiler, ...sources.sort(), '--config', 'asconfig.json', '--outFile', output],
      {
        cwd: core,
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    return moduleSource(readFileSync(output).toString('base64'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function moduleSource(base64: string): string {
  const lines = base64.match(/.{1,100}/g) ?? [];
  return [
    '/** packages/core/assembly, compiled by scripts/kernels.ts: a WebAssembly module in base64. Not to be edited. */',
    'export const kernelModule = [',
    ...lines.map((line) => `  '${line}',`),
    "].join('');",
    '',
  ].join('\n');
}

if (import.meta.main) {
  writeFileSync(kernelModuleFile, compileKernels());
  writeFileSync(gateModuleFile, compileKernels('assembly/quantum/*.ts'));
  writeFileSync(multiplyModuleFile, compileKernels('assembly/matrix/*.ts'));
}

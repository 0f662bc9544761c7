import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { TrainSummary } from '../../packages/cli/src/runs/TrainSummary.ts';

const main = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

/** A real process of the command, as a user starts it. */
export interface Running {
  readonly child: ChildProcess;
  /** Everything printed so far. */
  readonly output: { stdout: string; stderr: string };
  /** Resolves once standard error or output has shown this. */
  shows(text: string | RegExp): Promise<void>;
  readonly ended: Promise<Result>;
}

export interface Result {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function start(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Running {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => {
    output.stdout += text;
  });
  child.stderr.on('data', (text) => {
    output.stderr += text;
  });
  const ended = new Promise<Result>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  onTestFinished(() => {
    if (child.exitCode === null) child.kill('SIGKILL');
  });
  const shows = async (text: string | RegExp) => {
    const seen = () => {
      const all = output.stdout + output.stderr;
      return typeof text === 'string' ? all.includes(text) : text.test(all);
    };
    while (!seen()) {
      if (child.exitCode !== null)
        throw new Error(
          `ended with ${child.exitCode} before it showed ${text}:\n${output.stdout}${output.stderr}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return { child, output, shows, ended };
}

export function run(args: readonly string[], options: { cwd?: string } = {}): Promise<Result> {
  return start(args, options).ended;
}

/** Trains and returns the JSON summary; throws with all output unless the command succeeded. */
export async function train(args: readonly string[]): Promise<TrainSummary> {
  const result = await run(['train', ...args, '--json']);
  if (result.code !== 0)
    throw new Error(`train ended with ${result.code}:\n${result.stdout}${result.stderr}`);
  return JSON.parse(result.stdout);
}

/** A folder of the test's own, removed at its end. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tributary-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** The path of a job beside the tests. */
export function jobFile(name: string): string {
  return fileURLToPath(new URL(`jobs/${name}.ts`, import.meta.url));
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jobFile, run, start, temporaryFolder } from '../cluster/tributary.ts';

/* Real trainings of the logistic regression of the fixture, whose minimum is at 0.1004. */

const job = jobFile('newtonLogistic');
const small = ['--workers', '2', '--servers', '1', '--no-self-check'];

test('methods under one budget of passes: the numbers, the report, and run folders to go on with', {
  timeout: 180_000,
}, async () => {
  const runs = temporaryFolder();
  const methods = 'newton,lbfgs,sgd(learningRate=1),newton(damping=1)';
  const result = await run([
    'compare',
    job,
    '--methods',
    methods,
    '--budget-passes',
    '9',
    '--seeds',
    '1',
    '--runs',
    runs,
    ...small,
    '--json',
  ]);
  expect(result.code, result.stderr).toBe(0);
  const compared = JSON.parse(result.stdout);
  expect(result.stdout).toBe(`${JSON.stringify(compared)}\n`);
  const of = (name: string) => compared.methods.find(({ method }: { method: string }) => method === name);

  // Three passes a step: gradient, Hessian, loss. Each of two workers sends a share of each once, and the first what becomes of 31 weights and two numbers.
  const newton = compared.trials.find(({ method }: { method: string }) => method === 'newton');
  expect(newton).toMatchObject({ seed: 1, steps: 3, passes: 9, accuracy: null });
  expect(newton.pushedBytes).toBe(3 * 4 * (2 * (31 + (31 * 32) / 2) + 33));
  expect(newton.loss).toBeLessThan(0.12);
  expect(of('sgd(learningRate=1)')).toMatchObject({ steps: 9, passes: 9, pushedBytes: 9 * 2 * 31 * 4 });
  expect(of('lbfgs').passes).toBeGreaterThanOrEqual(9);
  expect(of('lbfgs').passes).toBeLessThan(12);
  for (const method of compared.methods) {
    expect(method.memoryBytes).toBeGreaterThan(1e8);
    expect(method.inferenceP99Ms).toBeGreaterThanOrEqual(method.inferenceMedianMs);
  }
  // With one seed there is no spread: the least loss it is.
  const [best] = compared.methods;
  expect(compared.choice.method).toBe(best.method);

  const report = readFileSync(join(compared.folder, 'report.html'), 'utf8');
  expect(report).toContain(`<h2>Take ${best.method}</h2>`);
  expect(report.match(/<svg /g)).toHaveLength(3);
  // It needs nothing from elsewhere.
  expect(report).not.toMatch(/<script|<link|src=|https?:|url\((?!#)/);
  expect(JSON.parse(readFileSync(join(compared.folder, 'compare.json'), 'utf8'))).toEqual(compared);

  const evaluated = await run(['evaluate', job, '--run', newton.folder, '--json']);
  expect(JSON.parse(evaluated.stdout).loss).toBe(newton.loss);
});

test('a method that cannot train the model is a row; if none can, the command is refused', {
  timeout: 120_000,
}, async () => {
  const runs = temporaryFolder();
  const blobs = jobFile('blobs');
  const some = await run([
    'compare',
    blobs,
    '--methods',
    'newton,adam',
    '--budget-passes',
    '1',
    '--seeds',
    '1',
    '--runs',
    runs,
    ...small,
  ]);
  expect(some.code, some.stderr).toBe(0);
  expect(some.stdout).toMatch(
    /^ {2}adam +\d\.\d+ .*\n {2}newton: newton needs the Hessian of all 5123 parameters/m,
  );
  expect(some.stdout).toMatch(/^ {2}Take adam\.$/m);

  const none = await run(['compare', blobs, '--methods', 'newton', '--runs', runs]);
  expect(none).toMatchObject({ code: 2, stdout: '' });
  expect(none.stderr).toMatch(/^error: no method can train this job: newton: newton needs the Hessian/m);
});

test('Ctrl-C reports what is complete, and exits with 130', { timeout: 120_000 }, async () => {
  const runs = temporaryFolder();
  const running = start([
    'compare',
    job,
    '--methods',
    'sgd,adam',
    '--budget-seconds',
    '2',
    '--seeds',
    '50',
    '--runs',
    runs,
    ...small,
    '--json',
  ]);
  await running.shows(/^sgd seed 1: loss/m);
  running.child.kill('SIGINT');
  const { code, stdout, stderr } = await running.ended;
  expect(code, stderr).toBe(130);
  const compared = JSON.parse(stdout);
  expect(compared.trials.map(({ method }: { method: string }) => method)).toContain('sgd');
  expect(compared.trials.length).toBeLessThan(3);
  // Two seconds, and the two steps by which the ranks end together.
  expect(compared.trials[0].trainMs).toBeGreaterThan(1500);
  expect(existsSync(join(compared.folder, 'report.html'))).toBe(true);
});

test.each([
  [['--methods', 'adm'], /there is no optimizer "adm"\. Did you mean "adam"\?/],
  [[], /required option '--methods <list>' not specified/],
  [
    ['--methods', 'adam', '--budget-passes', '0'],
    /--budget-passes <n>' argument '0' is invalid\. It must be a number above 0/,
  ],
  [['--methods', 'adam', '--budget-passes', '1', '--budget-seconds', '1'], /cannot be used with option/],
  [['--methods', 'adam', '--seeds', 'three'], /whole number, 1 or more/],
  [['--methods', 'adam', '--sedes', '3'], /unknown option '--sedes'\. Did you mean --seeds\?/],
])('compare refuses %j', async (flags, says) => {
  const { code, stdout, stderr } = await run(['compare', job, ...flags]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(says);
});

/**
 * The layers of the house, as a table. `pnpm check` runs it; test/workshop/layers.test.ts breaks every rule once.
 *
 *   proto < core < client, coordinator < server, worker < cli, dashboard
 *
 * A package imports only those named beside it here. A room is a folder right under `src`.
 */
const mayImport = {
  core: [],
  client: ['core'],
  coordinator: ['core'],
  server: ['core', 'client', 'coordinator'],
  worker: ['core', 'client', 'coordinator'],
  dashboard: ['core', 'client', 'coordinator'],
  cli: ['core', 'client', 'coordinator', 'server', 'worker'],
};

/** Rooms of core that every room of core may import, lowest first. */
const foundation = ['errors', 'limits', 'random', 'clock'];
const vocabulary = ['layout', 'partition', 'job'];

/** Each foreign library lives behind one wall: the rooms that may import it. */
const walls = {
  '@grpc/grpc-js': ['client/src/transport', 'server/src/rpc'],
  '@grpc/proto-loader': ['client/src/transport', 'server/src/rpc'],
  '@grpc/reflection': ['server/src/rpc'],
  'grpc-health-check': ['server/src/rpc'],
  ioredis: ['coordinator/src/redis'],
  'node:sqlite': ['coordinator/src/sqlite'],
  '@jax-js/jax': ['worker/src/autodiff', 'worker/src/compute', 'worker/src/nn'],
  'onnxruntime-node': ['worker/src/compute'],
  'csv-parse': ['worker/src/data'],
  zod: ['worker/src/job'],
  commander: ['cli/src'],
};

const anyOf = (names) => `(?:${names.join('|')})`;

const packageRules = Object.entries(mayImport).map(([name, allowed]) => ({
  name: `layer-${name}`,
  comment: `packages/${name} imports ${allowed.length === 0 ? 'no other package' : `only ${allowed.join(', ')}`}.`,
  severity: 'error',
  from: { path: `^packages/${name}/` },
  to: { path: '^packages/', pathNot: `^packages/${anyOf([name, ...allowed])}/` },
}));

const wallRules = Object.entries(walls).map(([library, rooms]) => ({
  name: `wall-${library}`,
  comment: `${library} is imported only in ${rooms.map((room) => `packages/${room}`).join(', ')}. Types may be named anywhere in the package.`,
  severity: 'error',
  from: { path: '^packages/', pathNot: `^packages/${anyOf(rooms)}/` },
  to: library.startsWith('node:')
    ? { path: `^(?:node:)?${library.slice('node:'.length)}$`, dependencyTypes: ['core'] }
    : { path: `(?:^|/)node_modules/${library}/`, dependencyTypesNot: ['type-only'] },
}));

export default {
  forbidden: [
    ...packageRules,
    ...wallRules,
    {
      name: 'core-is-pure',
      comment:
        'Core has no clock, randomness, file or socket of its own, and no library; node:crypto is for hashes.',
      severity: 'error',
      from: { path: '^packages/core/' },
      to: { pathNot: '^(?:packages/core/src/|(?:node:)?crypto$)' },
    },
    {
      name: 'core-rooms-are-apart',
      comment: 'Two rooms of core do not import each other; what they share is foundation or vocabulary.',
      severity: 'error',
      from: { path: '^packages/core/src/([^/]+)/' },
      to: {
        path: '^packages/core/src/',
        pathNot: `^packages/core/src/(?:$1|${[...foundation, ...vocabulary].join('|')})/`,
      },
    },
    {
      name: 'core-foundation-is-low',
      comment: 'The foundation of core stands on nothing but itself.',
      severity: 'error',
      from: { path: `^packages/core/src/${anyOf(foundation)}/` },
      to: { path: '^packages/core/src/', pathNot: `^packages/core/src/${anyOf(foundation)}/` },
    },
    {
      name: 'main-is-the-root',
      comment: 'main.ts composes its package; nothing imports it.',
      severity: 'error',
      from: {},
      to: { path: '^packages/[^/]+/src/main[.]ts$' },
    },
    {
      name: 'packages-stand-alone',
      comment: 'What is published imports no test, script, bench or example.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^(?:test|scripts|bench|examples)/' },
    },
    {
      name: 'examples-use-the-public-door',
      comment: 'An example imports Tributary as its users do: from "tributary".',
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: '^packages/', pathNot: '^packages/cli/src/index[.]ts$' },
    },
    {
      name: 'no-process-import',
      comment:
        'The environment is read in config.ts files, from the global `process`, where the linter can see it.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^(?:node:)?process$', dependencyTypes: ['core'] },
    },
    {
      name: 'no-cycles',
      comment: 'No file depends on itself.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'declared-dependencies',
      comment: 'A package imports only what its own package.json declares.',
      severity: 'error',
      from: { path: '^(?:packages|examples)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^packages/[^/]+/dist/' },
    parser: 'tsc',
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
    },
  },
};

import type { IConfiguration, IRegularForbiddenRuleType } from 'dependency-cruiser';

/**
 * The layers of the house as a table for dependency-cruiser. `pnpm check` applies it; test/workshop/layers.test.ts breaks every rule once.
 *
 *   proto < core < client, coordinator < server, worker < cli, dashboard
 *
 * A package imports only those named beside it here. A room is a folder right under `src`.
 */
const mayImport: Record<string, string[]> = {
  core: [],
  client: ['core'],
  coordinator: ['core'],
  server: ['core', 'client', 'coordinator'],
  worker: ['core', 'client', 'coordinator'],
  dashboard: ['core', 'client', 'coordinator'],
  cli: ['core', 'client', 'coordinator', 'server', 'worker'],
};

/** The rooms of core on which every other room of core may stand, and which stand on themselves alone. */
const foundation = ['errors', 'limits', 'random', 'clock', 'webassembly'];
/** The rooms of core whose types every room of core may name. */
const vocabulary = ['layout', 'partition', 'job'];

/** Each foreign library lives behind one wall: the rooms that may import it. */
const walls: Record<string, string[]> = {
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

const anyOf = (names: readonly string[]) => `(?:${names.join('|')})`;

/** What the files of `from` must not import. */
function forbid(
  name: string,
  comment: string,
  from: IRegularForbiddenRuleType['from'],
  to: IRegularForbiddenRuleType['to'],
): IRegularForbiddenRuleType & { name: string } {
  return { name, comment, severity: 'error', from, to };
}

const layerRules = Object.entries(mayImport).map(([name, allowed]) =>
  forbid(
    `layer-${name}`,
    `packages/${name} imports ${allowed.length === 0 ? 'no other package' : `only ${allowed.join(', ')}`}.`,
    { path: `^packages/${name}/` },
    { path: '^packages/', pathNot: `^packages/${anyOf([name, ...allowed])}/` },
  ),
);

const wallRules = Object.entries(walls).map(([library, rooms]) =>
  forbid(
    `wall-${library}`,
    `${library} is imported only in ${rooms.map((room) => `packages/${room}`).join(', ')}; its types may be named anywhere.`,
    { path: '^packages/', pathNot: `^packages/${anyOf(rooms)}/` },
    library.startsWith('node:')
      ? { path: `^(?:node:)?${library.slice('node:'.length)}$`, dependencyTypes: ['core'] }
      : { path: `(?:^|/)node_modules/${library}/`, dependencyTypesNot: ['type-only'] },
  ),
);

export const rules = [
  ...layerRules,
  ...wallRules,
  forbid(
    'core-is-pure',
    'Core has no clock, randomness, file or socket of its own, and no library; node:crypto is for hashes, node:util to show values.',
    { path: '^packages/core/src/' },
    { pathNot: '^(?:packages/core/src/|(?:node:)?(?:crypto|util)$)' },
  ),
  forbid(
    'core-rooms-are-apart',
    'Two rooms of core do not import each other; what they share is foundation or vocabulary. The kernels stand on the rooms that they make fast.',
    { path: '^packages/core/src/([^/]+)/', pathNot: '^packages/core/src/kernels/' },
    {
      path: '^packages/core/src/',
      pathNot: `^packages/core/src/(?:$1|${[...foundation, ...vocabulary].join('|')})/`,
    },
  ),
  forbid(
    'core-foundation-is-low',
    'The foundation of core stands on nothing but itself.',
    { path: `^packages/core/src/${anyOf(foundation)}/` },
    { path: '^packages/core/src/', pathNot: `^packages/core/src/${anyOf(foundation)}/` },
  ),
  forbid(
    'main-is-the-root',
    'main.ts composes its package; nothing imports it.',
    {},
    { path: '^packages/[^/]+/src/main[.]ts$' },
  ),
  forbid(
    'packages-stand-alone',
    'What is published imports no test, script, bench or example.',
    { path: '^packages/' },
    { path: '^(?:test|scripts|bench|examples)/' },
  ),
  forbid(
    'examples-use-the-public-door',
    'An example imports Tributary as its users do: from "tributary".',
    { path: '^examples/' },
    { path: '^packages/', pathNot: '^packages/cli/src/index[.]ts$' },
  ),
  forbid(
    'no-process-import',
    'The environment is read in config.ts files, from the global `process`, where the linter can see it.',
    { path: '^packages/' },
    { path: '^(?:node:)?process$', dependencyTypes: ['core'] },
  ),
  forbid('no-cycles', 'No file depends on itself.', { path: '^packages/' }, { circular: true }),
  forbid(
    'declared-dependencies',
    'A package imports only what its own package.json declares.',
    { path: '^(?:packages|examples)/' },
    { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
  ),
];

const configuration: IConfiguration = {
  forbidden: rules,
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

export default configuration;

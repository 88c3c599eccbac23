/** What each layer of src/ may import besides itself and the base. */
const arrows = {
  // mpi: the helper process is a program of its own, behind a hidden command.
  cli: ['commands', 'runner', 'mpi'],
  commands: [
    'runner',
    'components',
    'process',
    'filesystem',
    'roles',
    'rendezvous',
    'control',
    'dask',
    'identity',
    'record',
    'python',
    'security',
  ],
  client: ['control', 'dask', 'record', 'python', 'process', 'filesystem', 'security'],
  runner: [
    'components',
    'control',
    'rendezvous',
    'dask',
    'mpi',
    'identity',
    'roles',
    'record',
    'python',
    'process',
    'filesystem',
    'security',
  ],
  components: ['python', 'process', 'record', 'roles', 'identity'],
  control: ['record', 'security'],
  rendezvous: ['record', 'filesystem', 'mpi'],
  roles: ['identity'],
  python: ['process'],
  process: [],
  filesystem: [],
  record: [],
  identity: [],
  mpi: ['process'],
  dask: [],
  security: ['filesystem'],
}
const door = ['runner', 'client', 'commands', 'record']

const base = String.raw`^src/(util/|options/|(errors|defaults|options|logger)\.ts$|text\.d\.ts$)`
const folders = (names) => (names.length === 0 ? [] : [`^src/(${names.join('|')})/`])

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...Object.entries(arrows).map(([layer, mayImport]) => ({
      name: `layer-${layer}`,
      comment: `src/${layer}/ imports only itself, ${[...mayImport, 'the base'].join(', ')}`,
      severity: 'error',
      from: { path: `^src/${layer}/` },
      to: { path: '^src/', pathNot: [base, ...folders([layer, ...mayImport])] },
    })),
    {
      name: 'layer-base',
      comment: 'errors, defaults, options, options/, logger and util/ import only each other',
      severity: 'error',
      from: { path: base },
      to: { path: '^src/', pathNot: base },
    },
    {
      name: 'layer-index',
      comment: `src/index.ts re-exports from ${door.join(', ')} and the base`,
      severity: 'error',
      from: { path: String.raw`^src/index\.ts$` },
      to: { path: '^src/', pathNot: [base, ...folders(door)] },
    },
    {
      name: 'only-known-layers',
      comment: 'A new folder of src/ gets its arrows here first',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: [base, String.raw`^src/index\.ts$`, ...folders(Object.keys(arrows))] },
    },
    {
      name: 'index-is-the-door-outwards',
      comment: 'Nothing in src/ imports src/index.ts',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: String.raw`^src/index\.ts$` },
    },
    {
      name: 'index-is-the-door-inwards',
      comment: 'Examples and benchmarks see what users see',
      severity: 'error',
      from: { path: '^(examples|bench)/' },
      to: { path: '^src/', pathNot: String.raw`^src/index\.ts$` },
    },
    {
      name: 'src-stands-alone',
      comment: 'src/ imports nothing from test/, scripts/ or examples/',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|scripts|examples|bench|fixtures)/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^dask-hpc-runner$' },
    },
    {
      name: 'loaded-when-needed',
      comment: 'Evaluating it costs every process time, and adds signal handlers: import() it',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: 'node_modules/proper-lockfile/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'small-zod',
      comment: "Only 'zod/mini': the whole of zod costs 40 ms more at every start",
      severity: 'error',
      from: { path: '^src/' },
      to: { path: 'node_modules/zod/', pathNot: 'node_modules/zod/(v4/)?mini/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
}

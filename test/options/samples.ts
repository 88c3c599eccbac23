/** Texts for one option. */
export interface Samples {
  /** By text what is made of it; a switch has none. */
  readonly good: Readonly<Record<string, unknown>>
  /** Texts that are refused, beside those that every option refuses. */
  readonly bad: readonly string[]
}

const same = (...texts: readonly string[]): Samples['good'] => Object.fromEntries(texts.map((text) => [text, text]))

const switches: Samples = {
  good: { yes: true, no: false, true: true, false: false, 1: true, 0: false, YES: true },
  bad: ['maybe', '2', 'on', 'y', '01'],
}
const times: Samples = {
  good: { '5m': 300_000, '500ms': 500, '1.5s': 1500, '99999999h': 2 ** 31 - 1 },
  bad: ['5', '0s', '-1s', 'soon', '5 m', '1e3s', '0x10s', 'NaN', '٣s', '1d', 's'],
}
/** Of what can work only where it is given a second. */
const seconds: Samples = {
  good: { '5m': 300_000, '1000ms': 1_000, '1s': 1_000, '1.5s': 1_500, '99999999h': 2 ** 31 - 1 },
  bad: [...times.bad, '1ms', '999ms', '0.9s'],
}
const daskTimes: Samples = {
  good: same('60', '1h', '2 hours', '1.5 Days', '1e3', '1300ms', '1 s', '10 MINUTES'),
  bad: [
    '300ms',
    '0.9',
    'abc',
    '0',
    '0s',
    '-1',
    '.5s',
    'NaN',
    'inf',
    '1e400',
    '0x10',
    '5 parsecs',
    '٣s',
    '1hs',
    's',
    '1:30',
  ],
}
const ports: Samples = {
  good: { 9000: '9000', '9000:9010': '9000:9010', '9000:9000': '9000', '08786': '8786', 0: '0' },
  bad: [
    'abc',
    '-1',
    '65536',
    '99999999999',
    '9010:9000',
    '0:10',
    '9000-9010',
    '1:2:3',
    '9000:',
    ':9000',
    '1e3',
    '0x10',
  ],
}
const counts: Samples = {
  good: { 1: 1, 12: 12 },
  bad: ['-1', '1.5', 'two', 'NaN', 'Infinity', '1e3', '0x10', '1000000000', '٣', '1 2', '+1', '1,000'],
}
const fromOne = { ...counts, bad: [...counts.bad, '0'] }
const fromZero = { ...counts, good: { ...counts.good, 0: 0 } }
const paths: Samples = {
  good: {
    ...same('s.json', '/x/s.json', './~x', './$x', 'a$b', '$1', 'a b', '-'),
    '~/s': '/home/me/s',
    '~': '/home/me',
  },
  bad: ['~bob/s', '~bob', '$HOME/s', '${SCRATCH}/s'],
}
const variableNames: Samples = {
  good: same('RANK', '_x', 'My_Job_2'),
  bad: ['$RANK', '2X', 'A-B', 'A B', 'A=1', 'Ä', '${X}'],
}
const networks: Samples = {
  good: {
    ...same('ib0', '10.1.0.0/16', '::1/128', 'eth0:1', 'a-name-that-no-interface-has'),
    'hsn0, ib0': 'hsn0,ib0',
  },
  bad: ['10.1.0.0/33', '10.1/16', '::1/129', 'ib0,', ',', 'a b', '10.1.0.0/', '10.1.0.0/16/8', 'x/16'],
}
const addresses: Samples = {
  good: same('tcp://10.0.0.1:9000', 'tls://[fd00::1]:9000', 'tcp://node0:1'),
  bad: [
    'abc',
    'tcp://',
    'tcp://h',
    'h:9000',
    'tcp://h:x',
    'tcp://h:65536',
    'tcp://::1:9000',
    'tcp://h:0',
    'tcp://:9000',
    'tcp://a b:1',
    'tcp://10.0.0.256:1',
  ],
}

/** For every option of a run. */
export const samples: Readonly<Record<string, Samples>> = {
  schedulerFile: {
    good: {
      ...same('s-{job_id}.{step_id}.{restart}.json', '{}.json', 'a{.json', '/x/..s', 'x/.s'),
      '~/s': '/home/me/s',
    },
    bad: ['/', '.', '..', 's.json/', 'x/..', 'x/.', '~', '{job}.json', '{JOB_ID}', '~bob/s', '$HOME/s'],
  },
  layout: { good: same('exclusive', 'shared'), bad: ['sharde', 'Shared'] },
  identity: { good: same('auto', 'node', 'task'), bad: ['rank'] },
  client: switches,
  scheduler: switches,
  watch: { good: same('auto', 'poll', 'events'), bad: ['inotify'] },
  pollInterval: times,
  metadataBudget: { ...fromOne, bad: [...fromOne.bad.filter((text) => text !== '1000000000'), '1000000001'] },
  rendezvousTimeout: seconds,
  filesystemTimeout: seconds,
  waitWorkers: { good: { ...fromOne.good, all: 'all' }, bad: [...fromOne.bad, 'All', 'none'] },
  workersTimeout: seconds,
  minWorkers: fromZero,
  workerRestarts: fromZero,
  lostAfter: seconds,
  onTerminate: { good: same('save --all; sync', 'a\nb'), bad: [] },
  report: {
    good: { 'run.json': ['run.json'], 'a.json,b.html': ['a.json', 'b.html'], '~/a.html': ['/home/me/a.html'] },
    bad: [',', 'a,', '~bob/a.json'],
  },
  scancel: switches,
  controlPort: ports,
  grace: times,
  endBefore: seconds,
  python: paths,
  gpusPerWorker: fromZero,
  workerCommand: {
    good: same('dask cuda worker {scheduler_address} --name {name}', `x '{"a": 1}' "b c"`),
    bad: ['x {schedular}', "x 'y", 'x "y', 'x \\'],
  },
  workersPerCommand: fromOne,
  verbose: switches,
  logDirectory: {
    good: { ...same('logs/{job_id}', 'logs/', '.'), '~': '/home/me' },
    bad: ['logs/{rank}', ...paths.bad],
  },
  logLimit: {
    good: { '100MB': 100_000_000, '64kB': 64_000, '1 GiB': 2 ** 30, '1e6': 1_000_000, '1.5mb': 1_500_000 },
    bad: ['63kB', '0', '-1MB', 'much', '10 bottles', 'auto', 'NaN'],
  },
  daskLogLevel: { good: same('debug', 'info', 'warning', 'error', 'critical'), bad: ['loud', 'WARN'] },
  logFormat: { good: same('text', 'json'), bad: ['xml'] },
  mpiLibrary: { good: { ...paths.good, none: 'none' }, bad: paths.bad },
  runIdFrom: variableNames,
  rank: fromZero,
  rankFrom: variableNames,
  size: fromOne,
  sizeFrom: variableNames,
  runId: { good: same('1700000000', 'a.b_c-d'), bad: ['a/b', 'a b', 'x'.repeat(65), 'ä'] },
  secure: switches,
  dashboardLink: {
    good: same('/user/me/proxy/{host}:{port}/status', '{JUPYTERHUB_SERVICE_PREFIX}proxy/{port}/status', 'https://x/'),
    bad: ['{host', 'port}', '{a b}', '{}', '{host!r}'],
  },
  keepMpiEnv: switches,
  nworkers: fromOne,
  nthreads: fromOne,
  memoryLimit: {
    good: same(
      '4GiB',
      '4 GB',
      '4096MiB',
      '0',
      '0.5',
      '1',
      '1.0',
      'auto',
      '4294967296',
      '1e10',
      '.5GiB',
      '2g',
      '1MB',
      '0MB',
    ),
    bad: [
      '10XB',
      '1.5',
      '50%',
      '4000',
      '-1',
      '-4GiB',
      'NaN',
      'inf',
      '1e400',
      '0x10',
      'AUTO',
      'None',
      'MB',
      'GiB',
      '4 Gi B x',
      '٤GiB',
      '1e3',
      '2',
      '1_000GB',
      'unlimited',
    ],
  },
  localDirectory: paths,
  interface: networks,
  schedulerInterface: networks,
  workerInterface: networks,
  port: ports,
  workerPort: ports,
  nannyPort: ports,
  contactAddress: addresses,
  listenAddress: {
    good: { ...addresses.good, ...same('tcp://:9000') },
    bad: addresses.bad.filter((text) => !text.endsWith('://:9000')),
  },
  host: {
    good: { ...same('10.0.0.1', 'node0', 'node0.cluster', 'localhost', 'fd00::1'), '[fd00::1]': 'fd00::1' },
    bad: ['tcp://10.0.0.1', '10.0.0.1:9000', 'a b', '10.0.0.256', '1.2.3', '[10.0.0.1]', 'a..b', '-x', 'nöde', '::g'],
  },
  protocol: {
    good: { tcp: 'tcp', tls: 'tls', 'tcp://': 'tcp', 'ucx+x': 'ucx+x' },
    bad: ['TCP', 'tcp,ws', 'inproc', '1x', 'a b', '://'],
  },
  tlsCaFile: paths,
  tlsCert: paths,
  tlsKey: paths,
  workerClass: {
    good: same('a.B', 'dask.distributed.Worker', 'a.b_c.D'),
    bad: ['abc', 'a.', '.B', 'a..B', 'a.b-c', 'a b.C', '1a.B'],
  },
  resources: {
    good: same('GPU=1', 'GPU=1 MEM=2e9', 'GPU=1,MEM=2e9', 'X=0'),
    bad: [
      'abc',
      'GPU',
      'GPU=',
      '=1',
      'GPU=x',
      'GPU=1=2',
      'GPU=-1',
      'GPU=NaN',
      'GPU=inf',
      'GPU=1e400',
      'GPU=0x10',
      'GPU = 1',
      ',',
    ],
  },
  lifetime: daskTimes,
  lifetimeStagger: daskTimes,
  lifetimeRestart: switches,
  idleTimeout: daskTimes,
  deathTimeout: daskTimes,
  nanny: switches,
  dashboard: switches,
  dashboardAddress: {
    good: same(':8787', '8787', ':0', '10.0.0.1:8787', 'node0:8787', 'node0', ':8787,:8888'),
    bad: ['abc:x', ':', ':65536', '65536', '[::1]:8787', 'fd00::1', ':-1', 'a:1:2', ':8787,', 'tcp://h:1', 'a b:1'],
  },
  dashboardPrefix: {
    good: { dask: '/dask', '/a/b.c': '/a/b.c', '/x/': '/x' },
    bad: ['/', 'a b', 'a//b', 'a?b', 'http://h/x', '../{x}'],
  },
  useXheaders: switches,
  jupyter: switches,
  schedulerSni: { good: same('scheduler.example.org'), bad: [] },
  preload: {
    good: { a: ['a'], 'a.py,b': ['a.py', 'b'], '~/a.py': ['/home/me/a.py'] },
    bad: [',', 'a,', '~bob/'].slice(0, 2),
  },
  preloadArgv: { good: same('--level 3', `x 'y z'`), bad: ["'x", '"x', 'x \\'] },
  preloadNanny: { good: { a: ['a'], 'a.py,b': ['a.py', 'b'] }, bad: [','] },
}

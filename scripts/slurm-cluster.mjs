// A Slurm of several hosts on this machine to try things on by hand: the one of the tests under Slurm.
//
//   node scripts/slurm-cluster.mjs start [OPTIONS]     OPTIONS: JSON of SlurmOptions, such as '{"hosts":6}'
//   node scripts/slurm-cluster.mjs shell [HOST]        a shell on a host, or on the one to submit jobs from
//   node scripts/slurm-cluster.mjs run HOST COMMAND…   a command on a host
//   node scripts/slurm-cluster.mjs status
//   node scripts/slurm-cluster.mjs stop
//
// SLURM_CLUSTER=NAME before any of these names one of several clusters.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, openSync, readFileSync, rmSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(import.meta.url)
const root = resolve(script, '../..')
const folder = join(root, '.cache/slurm', process.env.SLURM_CLUSTER ?? 'default')
const stateFile = join(folder, 'cluster.json')

/**
 * @typedef {object} State
 * @property {number} keeper process id of the program that keeps the cluster
 * @property {string} base directory of the cluster
 * @property {string} shared the directory that the hosts share
 * @property {Record<string, string>} env environment of what runs on the hosts
 * @property {Record<string, string[]>} hosts what to put before a command that is to run on a host
 */

const [command, ...args] = process.argv.slice(2)
const commands = new Map([
  ['start', start],
  ['keep', keep],
  ['shell', () => on(args[0] ?? 'login', ['bash', '--norc', '-i'])],
  ['run', () => on(args[0] ?? '', args.slice(1))],
  ['status', status],
  ['stop', stop],
])
try {
  const chosen = commands.get(command ?? '')
  if (chosen === undefined) throw new Error('Usage: slurm-cluster.mjs start|shell|run|status|stop')
  await chosen()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function start() {
  if (isKept()) throw new Error(`Cannot start the cluster: it runs already; "${script} stop" ends it`)
  const [{ findSlurm }, { findDask }, { build }] = await Promise.all([
    import('./find-beds.mjs'),
    import('./find-dask.mjs'),
    import('./build.mjs'),
  ])
  findSlurm()
  const python = findDask()
  await build()
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const log = join(folder, 'log')
  const out = openSync(log, 'w')
  const keeper = spawn(process.execPath, [script, 'keep', ...args], {
    cwd: root,
    detached: true,
    env: { ...process.env, DASK_HPC_RUNNER_TEST_PYTHON: python },
    stdio: ['ignore', out, out],
  })
  let over = false
  keeper.once('exit', () => (over = true))
  while (!existsSync(stateFile)) {
    if (over) throw new Error(readFileSync(log, 'utf8'))
    await sleep(50)
  }
  keeper.unref()
  status()
}

/** The program behind `start`: has the cluster until it is told to end. */
async function keep() {
  const end = new Promise((done) => process.once('SIGTERM', done).once('SIGINT', done))
  const { loadTypeScript } = await import('./load-typescript.mjs')
  /** @type {typeof import('../test/support/slurm/slurm-cluster.ts')} */
  const { SlurmCluster } = await loadTypeScript('test/support/slurm/slurm-cluster.ts')
  const cluster = await SlurmCluster.start(JSON.parse(args[0] ?? '{}'))
  const { base, shared, env } = cluster
  const names = ['login', ...cluster.nodes]
  const hosts = Object.fromEntries(names.map((name) => [name, cluster.host(name).enter(shared)]))
  await writeFile(`${stateFile}.new`, JSON.stringify({ keeper: process.pid, base, shared, env, hosts }))
  await rename(`${stateFile}.new`, stateFile)
  const stayAlive = setInterval(() => undefined, 60_000)
  await end
  clearInterval(stayAlive)
  await cluster[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
}

/**
 * @param {string} host
 * @param {readonly string[]} what
 */
function on(host, what) {
  const { hosts, env } = state()
  const [program, ...enter] = hosts[host] ?? []
  if (program === undefined)
    throw new Error(`Cannot find the host "${host}": there are ${Object.keys(hosts).join(', ')}`)
  const terminal = { TERM: process.env.TERM ?? 'dumb', PS1: `[${host} \\W]# ` }
  const result = spawnSync(program, [...enter, ...what], { env: { ...env, ...terminal }, stdio: 'inherit' })
  process.exitCode = result.status ?? 1
}

function status() {
  const { hosts, shared, base, keeper } = state()
  console.log(`hosts: ${Object.keys(hosts).join(', ')}; kept by process ${keeper}`)
  console.log(`shared directory: ${shared}; logs: ${join(base, 'log')}`)
  on('login', ['sh', '-c', 'sinfo && squeue'])
}

async function stop() {
  const { keeper } = state()
  process.kill(keeper, 'SIGTERM')
  while (isKept()) await sleep(50)
}

/** @returns {State} */
function state() {
  if (!isKept()) throw new Error('There is no cluster: start one first')
  return JSON.parse(readFileSync(stateFile, 'utf8'))
}

/** Whether the program that keeps the cluster is there; another one may have got its number since. */
function isKept() {
  if (!existsSync(stateFile)) return false
  const { keeper } = JSON.parse(readFileSync(stateFile, 'utf8'))
  try {
    if (readFileSync(`/proc/${keeper}/cmdline`, 'utf8').includes(script)) return true
  } catch {
    // It has ended.
  }
  rmSync(stateFile, { force: true })
  return false
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import guestScript from './guest.sh'
import { root } from '../slurm/directory.ts'
import type { Cell, Machine, Order, Report, Surroundings } from './cell.ts'

/** After so long a cell is ended with all that it has started. In milliseconds. */
const limitMs = 20 * 60_000

interface StartOptions {
  readonly clean: number
  /** Where reports are written. */
  readonly folder: string
}

/** Runs a cell to its end, in namespaces of its own, which nothing of it outlives. */
export async function startCell(
  cell: Cell,
  machine: Machine,
  { clean, folder }: StartOptions,
): Promise<Report & { readonly output: string }> {
  let surroundings
  try {
    surroundings = find(cell, machine)
  } catch (error) {
    return { steps: [], missing: error instanceof Error ? error.message : String(error), output: '' }
  }
  const report = join(folder, `${cell.name}.report.json`)
  await rm(report, { force: true })
  const scratch = await mkdtemp('/var/tmp/dask-hpc-runner-matrix-')
  const order: Order = {
    launcher: cell.launcher,
    filesystem: cell.filesystem,
    ...(cell.env && { env: cell.env }),
    clean,
    scratch,
    report,
  }
  // Where whoever waits can look.
  const log = join(folder, `${cell.name}.log`)
  await inNamespaces(surroundings, machine, { order, log })
  const output = await readFile(log, 'utf8')
  await rm(scratch, { recursive: true, force: true })
  const found = await readFile(report, 'utf8').catch(() => undefined)
  await rm(report, { force: true })
  if (found !== undefined) return { ...(JSON.parse(found) as Report), output }
  const problem = `ended without a report: ${output.trim().split('\n').slice(-8).join('\n')}`
  return { steps: [{ name: 'start', seconds: 0, problem }], output }
}

function find({ find, launcher }: Cell, machine: Machine): Surroundings & { readonly python: string } {
  const { system, ...found } = find?.(machine) ?? {}
  // Python and launchers of the other system are where this machine's own would be.
  if (system !== undefined) return { python: '/usr/bin/python3', ...found, system }
  if (launcher === 'slurm') machine.slurm()
  if (launcher === 'openmpi' || launcher === 'mpich') machine.mpi()
  return { ...found, python: found.python ?? machine.dask() }
}

/** Runs a cell, which prints into `log`, until it has ended. */
async function inNamespaces(
  { node = process.execPath, python, system, guest: isGuest = false }: Surroundings & { readonly python: string },
  machine: Machine,
  { order, log }: { readonly order: Order; readonly log: string },
): Promise<void> {
  const mount = system === undefined ? 'true' : machine.mount(system)
  // The shell stays, as the first process of the namespace: it takes what others have left.
  const script = `${mount} && ${isGuest ? guestScript.trim() : '"$@"'}; exit $?`
  const namespaces = ['--fork', '--kill-child', '--pid', '--mount-proc', '--mount', '--propagation', 'private']
  const cell = [node, join(root, 'scripts/matrix-cell.mjs'), JSON.stringify(order)]
  await using output = await open(log, 'w')
  // All ends with this process, however that ends.
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'unshare', ...namespaces, 'bash', '-c', script, 'cell', ...cell],
    {
      cwd: root,
      env: { ...process.env, DASK_HPC_RUNNER_TEST_PYTHON: python, MATRIX_SCRATCH: order.scratch },
      stdio: ['ignore', output.fd, output.fd],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    },
  )
  await once(child, 'close')
}

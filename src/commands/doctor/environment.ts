import type { Environment } from '../../identity/environment.ts'
import { about, type Finding } from './finding.ts'

const { note, problem, warning } = about('environment')

/** Schedulers that `DASK_SCHEDULER` may name: those of one process, and the cluster's. */
const withinProcess: ReadonlySet<string> = new Set([
  'sync',
  'synchronous',
  'single-threaded',
  'threads',
  'threading',
  'processes',
  'multiprocessing',
])
const ofCluster: ReadonlySet<string> = new Set(['distributed', 'dask.distributed'])

/** Judges the variables by which Dask would be configured, and a debugger of Node. `protocol` is the run's. */
export function checkEnvironment(env: Environment, protocol: string | undefined): Finding[] {
  const findings = [...checkScheduler(env.DASK_SCHEDULER)]
  if ((env.DASK_SCHEDULER_ADDRESS ?? '') !== '')
    findings.push(
      note(
        `DASK_SCHEDULER_ADDRESS is "${env.DASK_SCHEDULER_ADDRESS ?? ''}", of another cluster perhaps; a run sets its own for its program, and other programs follow this one`,
        'unset DASK_SCHEDULER_ADDRESS where nothing else needs it',
      ),
    )
  const encryption = env.DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION ?? ''
  if (/^(true|1|yes|on)$/i.test(encryption) && protocol !== 'tls')
    findings.push(
      problem(
        `DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION is "${encryption}", and Dask then refuses to listen without TLS`,
        'unset it, or give Dask its certificates and the run --protocol tls',
      ),
    )
  const nodeOptions = env.NODE_OPTIONS ?? ''
  if (nodeOptions.includes('--inspect'))
    findings.push(
      warning(
        `NODE_OPTIONS is "${nodeOptions}": each process opens a debugger, through which others can run code as you`,
        'unset NODE_OPTIONS in the job script',
      ),
    )
  const others = Object.keys(env).filter((name) => name.startsWith('DASK_') && !spoken.test(name))
  if (others.length > 0) findings.push(note(`configures Dask in every part of the run: ${others.sort().join(', ')}`))
  return findings
}

/** What is judged above, and our own. */
const spoken = /^DASK_(SCHEDULER|SCHEDULER_ADDRESS|HPC_RUNNER_.*|DISTRIBUTED__COMM__REQUIRE_ENCRYPTION)$/

function checkScheduler(value: string | undefined): Finding[] {
  if (value === undefined || value === '' || ofCluster.has(value)) return []
  const advice = 'unset DASK_SCHEDULER; the scheduler of a run is named by DASK_SCHEDULER_ADDRESS'
  if (withinProcess.has(value))
    return [
      note(
        `DASK_SCHEDULER is "${value}": .compute() stays off the cluster in tasks and wherever there is no default Client`,
        advice,
      ),
    ]
  return [
    problem(
      `DASK_SCHEDULER is "${value}", which Dask reads as a kind of scheduler: .compute() fails in tasks and wherever there is no default Client`,
      advice,
    ),
  ]
}

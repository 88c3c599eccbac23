import type { RunnerKind } from '../../runners/choose-runner.ts'
import { findLauncherVariable } from '../../runners/launchers.ts'
import type { Environment } from '../../identity/environment.ts'
import type { Identity } from '../../identity/identity.ts'
import { formatRunKey } from '../../identity/run-key.ts'
import type { Role } from '../../identity/roles.ts'
import { askProgram } from '../../process/ask-program.ts'
import { formatDuration } from '../../util/duration.ts'
import { about, type Finding, foundMessage } from './finding.ts'
import { probeTimeout } from './probe.ts'

const onIdentity = about('identity')
const onRole = about('role')
const onSlurm = about('slurm')

/** Who this process is, or why that cannot be told. */
export type IdentityFacts = { readonly identity: Identity; readonly roles: readonly Role[] } | { readonly why: string }

/** What is known of Slurm from outside of a job's environment. */
export interface SlurmFacts {
  /** Such as `slurm-wlm 22.05.8`; undefined where there is no srun. */
  readonly srun: string | undefined
  /** What `scontrol show config` says, as far as it is used here; undefined where it says nothing. */
  readonly config: Readonly<Record<string, string>> | undefined
}

/** Asks Slurm's own programs. Asking `scontrol` is a request to the controller: one process of a job does it. */
export async function lookAtSlurm(env: Readonly<NodeJS.ProcessEnv>): Promise<SlurmFacts> {
  const version = await outputOf(['srun', '--version'], env)
  const config = version === undefined ? undefined : await outputOf(['scontrol', 'show', 'config'], env)
  return { srun: version?.trim(), config: config === undefined ? undefined : parseConfig(config) }
}

/** The settings that `scontrol show config` prints: `KillWait                = 30 sec`. */
export function parseConfig(text: string): Record<string, string> {
  const settings = text.split('\n').map((line) => /^(\w+)\s+= (.*)$/.exec(line))
  return Object.fromEntries(settings.flatMap((found) => (found === null ? [] : [[found[1] ?? '', found[2] ?? '']])))
}

async function outputOf(
  command: readonly [string, ...string[]],
  env: Readonly<NodeJS.ProcessEnv>,
): Promise<string | undefined> {
  const { stdout, failure } = await askProgram(command, { env, timeout: probeTimeout / 2 })
  return failure === undefined ? stdout : undefined
}

/** Judges what tells this process its place. */
export function checkPlace(place: IdentityFacts, env: Environment, runner: RunnerKind): Finding[] {
  if ('identity' in place) {
    const { rank, size, host, nodes, source, runKey } = place.identity
    const roles = place.roles.length === 0 ? 'nothing' : place.roles.join(', ')
    const hosts = nodes === 1 ? '1 node' : `${nodes} nodes`
    return [
      onIdentity.ok(`rank ${rank} of ${size} on ${host}, of ${hosts} (${source}), run ${formatRunKey(runKey)}`),
      onRole.ok(roles),
    ]
  }
  const inJob = (env.SLURM_JOB_ID ?? env.SLURM_JOBID ?? '') !== '' || findLauncherVariable(env) !== undefined
  if (inJob || (runner !== 'slurm' && runner !== 'mpi')) return [foundMessage('problem', 'identity', place.why)]
  return [
    onIdentity.note(
      'this is no job of a workload manager, or a container that hides it; what follows holds for this machine',
      'start it with srun inside of a job to look at all of its processes',
    ),
  ]
}

/** How long before Slurm's KILL a run should be over. In milliseconds. */
const margin = 2_000

/** Judges what Slurm does to a job, for a run with this grace in milliseconds. */
export function checkSlurm({ srun, config }: SlurmFacts, grace: number): Finding[] {
  if (srun === undefined)
    return [
      onSlurm.note(
        'there is no srun that answers here: "dask-hpc-runner run" needs one',
        'on one machine use "dask-hpc-runner local"',
      ),
    ]
  if (config === undefined)
    return [onSlurm.note(`${srun}; scontrol does not tell how it is configured, such as its KillWait`)]
  const said = ['ClusterName', 'ProctrackType', 'KillWait', 'UnkillableStepTimeout'].flatMap((name) =>
    config[name] === undefined ? [] : [`${name} ${config[name]}`],
  )
  const findings = [onSlurm.ok([srun, ...said].join(', '))]
  const killWait = Number.parseInt(config.KillWait ?? '') * 1000
  if (grace + margin > killWait)
    findings.push(
      onSlurm.warning(
        `Slurm kills what has not ended ${formatDuration(killWait)} after its first signal (KillWait), and the grace of this run is ${formatDuration(grace)}`,
        `--grace ${Math.max(1, Math.floor((killWait - 2 * margin) / 1000))}s`,
      ),
    )
  return findings
}

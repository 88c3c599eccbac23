import { checkRunSize } from '../components/run-size.ts'
import { fillIn } from '../identity/run-key.ts'
import type { Role } from '../identity/roles.ts'
import type { RunContext } from '../identity/run-context.ts'
import { createLogger } from '../logger.ts'
import { absolutePath, checkSurroundings, refuseControl } from '../util/surroundings.ts'
import { CauseTeller } from './cause.ts'
import type { Rendezvous } from '../rendezvous/rendezvous.ts'
import type { LentHooks } from './hooks.ts'
import { LogFiles } from './log-files.ts'
import { Member } from './member.ts'
import type { Components } from './seams.ts'
import { SecureRun } from './secure-run.ts'
import type { Shutdown } from './shutdown.ts'
import { InlineHeartbeat, type Supervisor } from './supervisor.ts'
import { Workers } from './workers.ts'
import type { WorkloadManager } from './workload-manager.ts'

/** What the run of a process that knows who it is consists of. */
export interface RunParts {
  readonly supervisor: Supervisor
  readonly shutdown: Shutdown
  readonly hooks: LentHooks
  readonly rendezvous: Rendezvous
  readonly manager: WorkloadManager
  readonly context: RunContext
  /** The roles of this process. */
  readonly mine: readonly Role[]
  /** The client of the run is the code that has called `start`, in this process. */
  readonly isInline: boolean
  /** Missing if the run is not secure, or has certificates of the user. */
  readonly secure: SecureRun | undefined
  readonly components: Components
  readonly workers: Workers
  readonly member: Member
  readonly heartbeat: InlineHeartbeat
  readonly cause: CauseTeller
  /** Missing if nobody wants log files. */
  readonly log: LogFiles | undefined
}

/**
 * Finds out who this process is in its run, and makes what the run consists of. Nothing is started.
 *
 * @throws RunnerError if it cannot be found out, or the run cannot be as the options want it.
 */
export async function makeRunParts(supervisor: Supervisor, shutdown: Shutdown, hooks: LentHooks): Promise<RunParts> {
  const identified = await identify(supervisor, hooks)
  const { context, mine } = identified
  const components = supervisor.seams.makeComponents(context, supervisor.reaper)
  const member = new Member(context, supervisor.seams)
  const rendezvous = hooks.rendezvous(context)
  return {
    ...{ supervisor, shutdown, hooks, components, member, ...identified },
    rendezvous,
    manager: hooks.workloadManager(context),
    isInline: context.options.command === undefined && mine.includes('client'),
    workers: new Workers({ run: context, components, member, shutdown, hooks }),
    heartbeat: new InlineHeartbeat(supervisor),
    cause: new CauseTeller(context, member, rendezvous),
  }
}

/** Finds out who this process is in its run, and who tells what of it. */
async function identify(
  supervisor: Supervisor,
  hooks: LentHooks,
): Promise<Pick<RunParts, 'context' | 'mine' | 'secure' | 'log'>> {
  checkSurroundings()
  const { options, reaper } = supervisor
  const context = { options, logger: supervisor.logger, signal: supervisor.startSignal }
  const identity = await hooks.identify(context)
  const { rank } = identity
  const roles = Array.from({ length: identity.size }, (_, of) => hooks.getRoles({ ...identity, rank: of }))
  checkRunSize(options, { roles, isOnOneHost: hooks.isOnOneHost() })
  const mine = roles[rank] ?? []
  const { logFormat: format, verbose } = options
  // However many ranks there are, two tell how the run goes.
  const speaks = rank === 0 || mine.includes('client')
  const log = openLog({ options, identity, roles, reaper }, (message) => {
    logger.warn(message)
  })
  const keep = log && {
    keep: (line: string) => {
      log.keep(undefined, [line])
    },
  }
  const logger = createLogger({ prefix: `[${rank} ${mine.join('+')}]`, format, verbose, speaks, ...keep })
  supervisor.logger = logger
  const schedulerFile = await hooks.schedulerFileFor(fillIn(options.schedulerFile, identity.runKey), identity)
  refuseControl('the scheduler file', schedulerFile, 'see what sets the id of the job')
  const secure = await SecureRun.of(options, identity, reaper)
  const own = { logger, identity, roles, schedulerFile, log }
  const run = { ...context, options: secure?.optionsFor(options) ?? options, ...own }
  // They are mostly the same in all processes; doctor tells of each.
  if (rank === 0) for (const warning of identity.share.warnings ?? []) logger.warn(`${warning}: it does not count`)
  return { context: run, mine, secure, log }
}

/** The log files of this process, if the user wants some. Of a host one process tells that they cannot be kept. */
function openLog(
  { options, identity, roles, reaper }: Pick<RunContext, 'options' | 'identity' | 'roles'> & Pick<Supervisor, 'reaper'>,
  warn: (message: string) => void,
): LogFiles | undefined {
  const { logDirectory, logLimit: limit, env } = options
  if (logDirectory === undefined) return undefined
  const { rank, runKey, share, nodes } = identity
  const directory = absolutePath(fillIn(logDirectory, runKey))
  refuseControl('the log directory', directory, 'see what sets the id of the job')
  const isFirst = rank === 0 || (nodes > 1 && share.localRank === 0)
  const own = { directory, limit, rank, roles: roles[rank] ?? [], rolesOf: roles, env, reaper }
  return new LogFiles({ ...own, warn: isFirst ? warn : () => undefined })
}

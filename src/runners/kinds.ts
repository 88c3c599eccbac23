import type { Environment } from '../identity/environment.ts'
import type { Identity } from '../identity/identity.ts'
import type { CompleteOptions } from '../options.ts'
import { Reaper } from '../process/reaper.ts'
import type { RunnerKind } from './choose-runner.ts'
import { chooseLibrary } from './mpi/choose-library.ts'
import { identifyMpi } from './mpi/identify-mpi.ts'
import { identifySlurm, unknownHost } from './slurm/identify-slurm.ts'
import { slurmHosts } from './slurm/slurm-hosts.ts'
import { systemNames } from '../options/names.ts'
import { identifySystem } from './variables/identify-system.ts'
import { identifyVariables } from './variables/identify-variables.ts'

/** How the processes of a runner meet. */
export interface Meeting {
  /** For people. */
  readonly text: string
  /** Whether they meet at the scheduler file, and look for it. */
  readonly atFile: boolean
}

/** What `plan` and `doctor` ask about a runner whose processes they do not start. */
interface Kind {
  /** Who this process is, by its environment. @throws RunnerError ERR_ENVIRONMENT where that does not tell. */
  readonly identify: (options: CompleteOptions) => Promise<Identity> | Identity
  /** The host of each process, by rank; `?` where it cannot be known from here. */
  readonly hosts: (env: Environment, me: Identity) => readonly string[]
  readonly meeting: (options: CompleteOptions) => Promise<Meeting>
}

const atFile: Kind['meeting'] = async () => await Promise.resolve({ text: 'at the scheduler file', atFile: true })

/** Mostly a process knows only its own. */
const knownHosts: Kind['hosts'] = (_, me) =>
  me.hosts ?? Array.from({ length: me.size }, (_each, rank) => (rank === me.rank ? me.host : unknownHost))

const ofSystem = (runner: (typeof systemNames)[number]): Kind => ({
  identify: (options) => identifySystem(options.env, { ...options, runner }),
  hosts: knownHosts,
  meeting: atFile,
})

/** Each runner that `--runner` names. */
export const kinds: Readonly<Record<RunnerKind, Kind>> = {
  slurm: {
    identify: (options) => identifySlurm(options.env, options),
    hosts: slurmHosts,
    meeting: atFile,
  },
  mpi: {
    identify: (options) => identifyMpi(options.env, options),
    hosts: knownHosts,
    meeting: async (options) => {
      await using reaper = new Reaper()
      const choice = await chooseLibrary(options, { reaper, initialise: false })
      if (choice.by === 'file') return { text: `at the scheduler file, because ${choice.why}`, atFile: true }
      const also = 'a scheduler file is written where --scheduler-file names one'
      return { text: `by a broadcast over MPI: ${choice.library}; ${also}`, atFile: false }
    },
  },
  ...(Object.fromEntries(systemNames.map((name) => [name, ofSystem(name)])) as Record<
    (typeof systemNames)[number],
    Kind
  >),
  variables: {
    identify: (options) => identifyVariables(options.env, options),
    hosts: knownHosts,
    meeting: atFile,
  },
}

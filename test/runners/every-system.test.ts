import { describe, expect, it } from 'vitest'
import { exitStatusOf, messageOf } from '../../src/errors.ts'
import type { Environment } from '../../src/identity/environment.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { formatRunKey } from '../../src/identity/run-key.ts'
import { completeOptions } from '../../src/options.ts'
import { chooseRunner } from '../../src/runners/choose-runner.ts'
import { identifyMpi } from '../../src/runners/mpi/identify-mpi.ts'
import { identifySlurm } from '../../src/runners/slurm/identify-slurm.ts'
import { identifySystem } from '../../src/runners/variables/identify-system.ts'
import { identifyVariables } from '../../src/runners/variables/identify-variables.ts'
import { slurmCaptures, slurmEnvironment, systemEnvironment } from '../support/environment.ts'
import { systemCases } from './variables/system-cases.ts'

interface Known {
  readonly name: string
  readonly env: Environment
  readonly identify: (env: Environment) => Promise<Identity> | Identity
}

const mpi: Readonly<Record<string, Environment>> = {
  'Open MPI': {
    OMPI_COMM_WORLD_RANK: '2',
    OMPI_COMM_WORLD_SIZE: '4',
    OMPI_COMM_WORLD_LOCAL_SIZE: '2',
    OMPI_COMM_WORLD_LOCAL_RANK: '0',
    OMPI_MCA_orte_num_nodes: '2',
    PMIX_NAMESPACE: '869531649',
  },
  Hydra: { PMI_RANK: '1', PMI_SIZE: '4', MPI_LOCALNRANKS: '2', MPI_LOCALRANKID: '1' },
  PALS: { PALS_RANKID: '2', PALS_APID: '4c9b-11', PMI_SIZE: '8', PMI_RANK: '2', PALS_LOCAL_RANKID: '0' },
  Flux: systemEnvironment('flux'),
}
const named = { rankFrom: 'MY_RANK', sizeFrom: 'MY_SIZE', runIdFrom: 'MY_JOB' }

/** Every system, by its fixture. */
const all: readonly Known[] = [
  ...systemCases.map(({ fixture, runner, host, given = {} }) => ({
    name: fixture,
    env: systemEnvironment(fixture),
    identify: (env: Environment) => identifySystem(env, { ...completeOptions(given), runner }, host),
  })),
  ...slurmCaptures()
    .filter((name) => name.includes('proc'))
    .map((name) => [name, slurmEnvironment(name)] as const)
    .concat(['psslurm', 'spur-srun'].map((name) => [name, systemEnvironment(name)] as const))
    .map(([name, env]) => ({ name, env, identify: (each: Environment) => identifySlurm(each, { identity: 'auto' }) })),
  ...Object.entries(mpi).map(([name, env]) => ({
    name,
    env,
    identify: (each: Environment) => identifyMpi(each, { host: 'n2' }),
  })),
  {
    name: 'named variables',
    env: { MY_RANK: '2', MY_SIZE: '4', MY_JOB: 'job.17' },
    identify: (env) => identifyVariables(env, completeOptions(named), 'n2'),
  },
]

describe.each(all)('the environment of $name', async ({ env, identify }) => {
  const right = await identify(env)

  it.each(await variablesRead(env, identify))(
    'where %s is missing or no word of its launcher makes nobody of another process',
    async (name) => {
      const wrong = ['', 'x y', '-1', '1.5', '0x1', '99999999999999999999', '../../etc/passwd', 'undefined']
      for (const value of [undefined, ...wrong]) {
        const changed = { ...env, [name]: value }
        const seen = await attempt(() => identify(changed))
        if ('identity' in seen) {
          const { rank, size, runKey } = seen.identity
          expect({ rank, size }, `${name}=${value ?? ''}`).toEqual({ rank: right.rank, size: right.size })
          expect(formatRunKey(runKey)).toMatch(/^[A-Za-z0-9._-]{1,200}$/)
        } else {
          expect(seen.status, seen.message).toBe(78)
          expect(seen.message).toMatch(/^Cannot tell which process of the run this is: .+; .+/)
          // What is wrong, or that which is looked at in its place.
          expect(
            namesIn(seen.message).some((word) => word === name || word in env),
            seen.message,
          ).toBe(true)
        }
      }
    },
  )
})

it.each(systemCases)(
  'a step of Slurm that $fixture was submitted from is taken for no step of this job',
  async (each) => {
    const { fixture, runner, host, given = {}, is } = each
    const env = { ...slurmEnvironment('step-4nodes-1task-each-proc1'), ...systemEnvironment(fixture) }
    const seen = await attempt(() => chooseRunner({ env, thisHost: host }, 'auto'))
    expect(seen).toMatchObject({ status: 78, message: expect.stringContaining('SLURM_STEP_ID is "0" and ') as string })
    expect(seen).toMatchObject({
      message: expect.stringContaining(`name the launcher by --runner slurm or --runner ${runner}`) as string,
    })
    expect(await identifySystem(env, { ...completeOptions(given), runner }, host)).toMatchObject(is)
  },
)

it('a step of Slurm knows the variables of another job that it was started in by its host', () => {
  for (const { fixture } of systemCases) {
    const env = { ...systemEnvironment(fixture), ...slurmEnvironment('step-4nodes-1task-each-proc1') }
    expect(chooseRunner({ env, thisHost: 'node1.example.org' }, 'auto').kind).toBe('slurm')
    expect(identifySlurm(env, { identity: 'auto' })).toMatchObject({ rank: 1, size: 4, host: 'node1' })
  }
})

/** The variables of an environment that are looked at. */
async function variablesRead(env: Environment, identify: Known['identify']): Promise<string[]> {
  const read = new Set<string>()
  await identify(new Proxy(env, { get: (all, name: string) => (read.add(name), all[name]) }))
  return Object.keys(env).filter((name) => read.has(name))
}

async function attempt(identify: () => unknown): Promise<{ identity: Identity } | { status: number; message: string }> {
  try {
    return { identity: (await identify()) as Identity }
  } catch (error) {
    return { status: exitStatusOf(error), message: messageOf(error) }
  }
}

function namesIn(message: string): string[] {
  return message.match(/[A-Z][A-Z0-9_]+/gi) ?? []
}

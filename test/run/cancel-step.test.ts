import { beforeEach, expect, it, vi } from 'vitest'
import { RunnerError } from '../../src/errors.ts'
import type { Identity } from '../../src/identity/identity.ts'
import type { RunnerOptions } from '../../src/options.ts'
import type { Found } from '../../src/rendezvous/found.ts'
import type { Role } from '../../src/identity/roles.ts'
import { BaseRunner } from '../../src/run/base-runner.ts'
import { HostLostError } from '../../src/run/failure.ts'
import type { Rendezvous } from '../../src/rendezvous/rendezvous.ts'
import type { JobEnd, WorkloadManager } from '../../src/run/workload-manager.ts'
import { fakeRendezvous, fakeStep } from './support/fake-rendezvous.ts'
import { fileOf, ownerOf } from '../rendezvous/file/support/run.ts'

/** What the process under test has done, in its order. */
const did: string[] = []
/** What it has written. */
const said: string[] = []

vi.mock(import('../../src/util/wait.ts'), async (original) => ({
  ...(await original()),
  settledWithin: async (_, ms) => {
    await does(`waited ${ms} ms`)
    return false
  },
}))

/** A process that does not come to join rank 0. */
interface Story extends RunnerOptions {
  readonly rank: number
  readonly why: Error
  /** Rank 0 has ended the run. */
  readonly over?: boolean
  /** It does so while this process cannot join it, and leaves no word of why. */
  readonly ends?: boolean
  /** Only the job can be ended, by this. */
  readonly endCommand?: string
}

class Ended extends Error {}

class Lonely extends BaseRunner {
  readonly #story: Story

  constructor(story: Story) {
    const exit = (status: number): never => {
      did.push(`exited with ${status}`)
      throw new Ended()
    }
    const { rank: _rank, why: _why, over: _over, ends: _ends, endCommand: _end, ...options } = story
    super({ command: ['true'], lostAfter: '8s', grace: '8s', exit, ...options })
    this.#story = story
  }

  protected override identify(): Identity {
    const runKey = { cluster: 'sim', jobId: '7', stepId: '0', restart: 0 }
    const { rank } = this.#story
    return { rank, size: 4, host: 'node1', nodes: 4, share: { processes: 1 }, runKey, source: 'a test' }
  }
  /** Nobody has a Python to start. */
  protected override getRoles({ rank }: Identity): readonly Role[] {
    return rank === 1 ? ['client'] : []
  }
  protected override rendezvous(): Rendezvous {
    const { ends, over, why } = this.#story
    const outcome = { version: 1, run_key: 'sim-7.0-r0' } as const
    return fakeRendezvous({
      lookUp: async (dead): Promise<Found> => {
        if (ends !== true) return await Promise.reject(why)
        return await Promise.resolve(
          dead.size === 0 ? { kind: 'coordinator', record: nobody } : { kind: 'outcome', outcome },
        )
      },
      leaveEarlyExit: async () => does('left word'),
      withdrawUnpublished: async () => does('removed what is not published'),
      withdraw: async () => does('withdrew'),
      isOver: async () => {
        await does('looked for the end')
        return over === true
      },
    })
  }
  protected override workloadManager(): WorkloadManager {
    const { endCommand } = this.#story
    const jobEnd = async (): Promise<JobEnd> => await Promise.resolve({ why: 'nobody asks' })
    if (endCommand !== undefined) return { jobEnd, endCommand }
    const step = fakeStep({
      resumeStep: async () => does('woke the step'),
      cancelStep: async (silent) => does(`released the step of ${silent.join(', ')}`),
    })
    return { jobEnd, step }
  }
}

/** Where nothing listens. */
const nobody = fileOf(ownerOf('sim-7.0-r0')).dask_hpc_runner

async function does(what: string): Promise<void> {
  await Promise.resolve(did.push(what))
}

const late = new RunnerError('Cannot find the cluster: it is late', { code: 'ERR_TIMED_OUT' })
const silent = new RunnerError('Cannot join rank 0: it does not answer', { code: 'ERR_UNAVAILABLE' })
const hostLost = new HostLostError('Lost rank 0: nothing was heard of its host', { code: 'ERR_COMPONENT_LOST' })

/** After its last word, by the silence of 8 s and the workers' part of the grace. */
const delay = 1_500 + 8_000 / 8 + 1_000

beforeEach(() => {
  did.length = 0
  said.length = 0
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said.push(String(text))
    return true
  })
})

const left = ['woke the step', 'waited 4000 ms', 'removed what is not published']
const looked = [`waited ${delay} ms`, 'looked for the end']

it.for<[string, Story, readonly string[], number]>([
  ['wakes the step for a rank 0 that has not come, and then removes what is left', { rank: 1, why: late }, left, 75],
  ['leaves the waking and removing to rank 1', { rank: 2, why: late }, [], 75],
  ['does neither where Slurm is to be left alone', { rank: 1, why: late, scancel: false }, [], 75],
  [
    'releases the step of a silent rank 0',
    { rank: 1, why: silent },
    [...looked, 'withdrew', 'released the step of 0'],
    69,
  ],
  ['spares the step of a silent rank 0 that has ended the run', { rank: 1, why: silent, over: true }, looked, 69],
  ['spares the step of a rank 0 that only a worker cannot join', { rank: 2, why: silent }, [], 69],
  [
    'releases the step of a rank 0 that has gone without a word and did not answer before',
    { rank: 1, why: silent, ends: true },
    ['left word', ...looked, 'withdrew', 'released the step of 0'],
    69,
  ],
  [
    'spares the step of such a one that has ended the run in order',
    { rank: 1, why: silent, ends: true, over: true },
    ['left word', ...looked],
    69,
  ],
  ['takes it for the end of the run where it is no client', { rank: 2, why: silent, ends: true }, [], 0],
  [
    'releases the step of a host that is lost, whatever stands there',
    { rank: 1, why: hostLost, over: true },
    [`waited ${delay} ms`, 'withdrew', 'released the step of 0'],
    69,
  ],
])('%s', async ([, story, does, status]) => {
  await expect(Lonely.start(story)).rejects.toThrow(Ended)
  expect(did).toEqual(['left word', ...does, `exited with ${status}`])
})

it('says what ends a job that a lost rank may hold, where the run cannot end its step', async () => {
  await expect(Lonely.start({ rank: 1, why: silent, endCommand: "qdel '7'" })).rejects.toThrow(Ended)
  expect(did).toEqual(['left word', ...looked, 'exited with 69'])
  expect(said.join('')).toContain("rank 0 may still hold the job: qdel '7' ends it")
})

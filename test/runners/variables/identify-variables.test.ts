import { describe, expect, it } from 'vitest'
import { completeOptions, type RunnerOptions } from '../../../src/options.ts'
import { exitStatusOf } from '../../../src/errors.ts'
import { identifyVariables } from '../../../src/runners/variables/identify-variables.ts'

const env = { MY_RANK: '2', MY_SIZE: '4', MY_JOB: 'job.17' }
const names = { rankFrom: 'MY_RANK', sizeFrom: 'MY_SIZE', runIdFrom: 'MY_JOB' }
const typed = { rankFrom: '--rank-from', sizeFrom: '--size-from', runIdFrom: '--run-id-from' }

function identify(given: RunnerOptions = names, changes: Readonly<Record<string, string | undefined>> = {}) {
  return identifyVariables({ ...env, ...changes }, completeOptions({ sources: typed, ...given }), 'n2')
}

describe('a process of any launcher', () => {
  it('is who the named variables say', () => {
    expect(identify()).toEqual({
      rank: 2,
      size: 4,
      host: 'n2',
      nodes: 4,
      share: { processes: 1 },
      runKey: { cluster: 'variables', jobId: 'job.17', stepId: '0', restart: 0 },
      source: 'MY_RANK=2 of MY_SIZE=4',
      ofTask: ['MY_RANK'],
    })
  })

  it('is who the options say, some by a variable and some by their values', () => {
    expect(identify({ rank: 0, size: 2, runId: 'x', sources: { rank: '--rank', size: '--size' } })).toMatchObject({
      rank: 0,
      size: 2,
      runKey: { jobId: 'x' },
      source: '--rank 0 of --size 2',
    })
    expect(identify({ rankFrom: 'MY_RANK', size: 3, runIdFrom: 'MY_JOB' })).toMatchObject({ rank: 2, size: 3 })
  })

  it('has a run key that is a word of a file name, and that no other id has', () => {
    const key = (id: string) => identify(names, { MY_JOB: id }).runKey.jobId
    const words = ['1234[5].pbs', '1234_5_.pbs', '../../x', '/x', 'x'.repeat(65), 'x'.repeat(66)].map(key)
    expect(new Set(words).size).toBe(words.length)
    for (const word of words) expect(word).toMatch(/^[A-Za-z0-9._-]{1,64}$/)
  })

  it.each<[string, Record<string, string | undefined>]>([
    ['MY_RANK is not set, and --rank-from names it; start me by the launcher that sets it', { MY_RANK: undefined }],
    ['MY_RANK is "", and --rank-from names it', { MY_RANK: '' }],
    ['MY_RANK is "two", which is not a whole number', { MY_RANK: 'two' }],
    ['MY_RANK is "-1", which is not a whole number', { MY_RANK: '-1' }],
    ['MY_SIZE is not set, and --size-from names it', { MY_SIZE: undefined }],
    ['MY_SIZE is "4.0", which is not a whole number', { MY_SIZE: '4.0' }],
    ['MY_SIZE=0, and a run has at least 1 process', { MY_SIZE: '0' }],
    ['MY_SIZE=1000001, and a run has up to 1000000 processes', { MY_SIZE: '1000001' }],
    ['MY_RANK=4 but MY_SIZE=4, and ranks count from 0', { MY_RANK: '4' }],
    ['MY_JOB is not set, and --run-id-from names it', { MY_JOB: undefined }],
  ])('ends with 78 and the sentence: %s', (sentence, changes) => {
    const identifying = () => identify(names, changes)
    expect(identifying).toThrow(`Cannot tell which process of the run this is: ${sentence}`)
    expect(statusOf(identifying)).toBe(78)
  })

  it.each<[string, RunnerOptions]>([
    ['rank and rankFrom together: leave one of them out', { ...names, rank: 1 }],
    ['size and sizeFrom together', { ...names, size: 1 }],
    ['runId and runIdFrom together', { ...names, runId: 'x' }],
    ['rankFrom X alone: name sizeFrom or size too', { rankFrom: 'X', runId: 'x' }],
    ['rank 0 alone: name runIdFrom or runId too', { rank: 0, size: 1 }],
    ['rank 4 with size 4: ranks count from 0', { rank: 4, size: 4, runId: 'x' }],
  ])('ends with 64 at: Cannot use %s', (sentence, given) => {
    const completing = () => completeOptions(given)
    expect(completing).toThrow(`Cannot use ${sentence}`)
    expect(statusOf(completing)).toBe(64)
  })

  it('ends with 64 where no option says who it is', () => {
    const identifying = () => identify({ size: 4 })
    expect(identifying).toThrow('Cannot use --runner variables: nothing says which process this is; name --rank-from')
    expect(statusOf(identifying)).toBe(64)
  })
})

function statusOf(run: () => unknown): number | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    return exitStatusOf(error)
  }
}

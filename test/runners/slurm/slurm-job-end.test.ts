import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { AskProgramOptions, ProgramAnswer } from '../../../src/process/ask-program.ts'
import { jobEndVariables, slurmJobEnd } from '../../../src/runners/slurm/slurm-job-end.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const missing: ProgramAnswer = {
  stdout: '',
  stderr: '',
  failure: { how: 'not started', why: 'there is no such program' },
}

/** Slurm's commands, by name, with what they answer. */
function commands(answers: Readonly<Record<string, Partial<ProgramAnswer>>>) {
  const asked: { readonly command: readonly string[]; readonly options: AskProgramOptions }[] = []
  const ask = async (command: readonly [string, ...string[]], options: AskProgramOptions): Promise<ProgramAnswer> => {
    asked.push({ command, options })
    return await Promise.resolve({ ...{ stdout: '', stderr: '' }, ...(answers[command[0]] ?? missing) })
  }
  return { asked, ask, signal: new AbortController().signal }
}

it('is what the variable says, and nobody is asked', async () => {
  const { asked, ...options } = commands({})
  const env = { SLURM_JOB_ID: '7', SLURM_JOB_END_TIME: '1800000600' }
  expect(await slurmJobEnd(env, options)).toEqual({ at: 1_800_000_600_000 })
  expect(asked).toEqual([])
})

it('is what squeue says of this very job, in seconds, whatever the user likes to see', async () => {
  const { asked, ...options } = commands({ squeue: { stdout: '77 1800000001 5:00\n7 1800000600 10:00\n8 N/A N/A\n' } })
  const env = { SLURM_JOB_ID: '7', SQUEUE_FORMAT: '%i', SLURM_TIME_FORMAT: 'relative', PATH: '/bin' }
  expect(await slurmJobEnd(env, options)).toEqual({ at: 1_800_000_600_000 })
  expect(asked[0]?.command).toEqual(['squeue', '--noheader', '--states=all', '--jobs=7', '--format=%A %e %l'])
  expect(asked[0]?.options.env).toEqual({ SLURM_JOB_ID: '7', SLURM_TIME_FORMAT: '%s', PATH: '/bin' })
})

it('is asked for where the variable was inherited from a job that is over', async () => {
  const { asked: _, ...options } = commands({ squeue: { stdout: '7 1800000600 10:00\n' } })
  expect(await slurmJobEnd({ SLURM_JOB_ID: '7', SLURM_JOB_END_TIME: '1799999999' }, options)).toEqual({
    at: 1_800_000_600_000,
  })
})

it('is what scontrol says where squeue is not there', async () => {
  const line = 'JobId=7 JobName=x StartTime=1800000000 EndTime=1800000600 Deadline=N/A\n'
  const { asked: _, ...options } = commands({ scontrol: { stdout: line } })
  expect(await slurmJobEnd({ SLURM_JOB_ID: '7' }, options)).toEqual({ at: 1_800_000_600_000 })
})

it('is not known where Slurm does not answer, answers nonsense, or has no limit for the job: the reason is told', async () => {
  const late = { failure: { how: 'late', why: 'did not answer within 10 s' } } as const
  const failed = { stderr: 'x\nscontrol: error: no\n', failure: { how: 'ended', why: 'exited with status 1' } } as const
  expect(await slurmJobEnd({ SLURM_JOB_ID: '7' }, commands({ squeue: late, scontrol: failed }))).toEqual({
    why: 'SLURM_JOB_END_TIME does not tell it, squeue did not answer within 10 s, scontrol says "scontrol: error: no"',
  })
  expect(await slurmJobEnd({ SLURM_JOB_ID: '7' }, commands({ scontrol: failed }))).toEqual({
    why: 'SLURM_JOB_END_TIME does not tell it, squeue: there is no such program, scontrol says "scontrol: error: no"',
  })
  const unlimited = {
    squeue: { stdout: '7 1831536000 UNLIMITED\n' },
    scontrol: { stdout: 'JobId=7 EndTime=Unknown\n' },
  }
  expect(await slurmJobEnd({ SLURM_JOB_ID: '7', SLURM_JOB_END_TIME: 'Unknown' }, commands(unlimited))).toEqual({
    why: 'SLURM_JOB_END_TIME does not tell it, squeue names no time, scontrol names no time',
  })
})

it('is not asked for outside of a job', async () => {
  const { asked, ...options } = commands({})
  for (const env of [{}, { SLURM_JOB_ID: '7; rm -rf /' }])
    expect(await slurmJobEnd(env, options)).toEqual({ why: 'there is no job of Slurm around the run' })
  expect(asked).toEqual([])
})

it('is found out by a process of a local run from these variables, and it gets no others of the job', () => {
  const env = { SLURM_JOB_ID: '7', SLURM_CONF: '/s.conf', SLURM_PROCID: '0', SLURM_JOB_END_TIME: '5', PATH: '/bin' }
  expect(jobEndVariables(env)).toEqual({ SLURM_JOB_ID: '7', SLURM_CONF: '/s.conf', SLURM_JOB_END_TIME: '5' })
})

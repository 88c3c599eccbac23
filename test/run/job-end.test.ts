import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { JobEnd } from '../../src/run/workload-manager.ts'
import { WholeRun } from './support/whole-run.ts'

const minute = 60_000
const now = Date.parse('2026-11-29T12:00:00Z')

beforeEach(() => {
  vi.useFakeTimers({
    now,
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance', 'hrtime'],
  })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A run of four ranks whose job ends like this. */
function startRun(jobEnd: JobEnd, endBefore?: '3m'): WholeRun {
  const run = new WholeRun(4, { endBefore })
  run.jobEnd = async () => await Promise.resolve(jobEnd)
  run.start()
  return run
}

describe('--end-before', () => {
  it('ends the run so long before its job ends, as a TERM would', async () => {
    const run = startRun({ at: now + 10 * minute }, '3m')
    const program = await run.program()
    await run.pass(7 * minute - 1_000 - (Date.now() - now))
    expect(program.signals).toEqual([])
    await run.until(() => program.signals.length > 0)
    expect(program.signals).toEqual(['SIGTERM'])
    expect(Date.now() - now).toBeLessThan(7 * minute + 1_000)
    expect(run.whoSaid('the job ends in 3 min: endBefore ends the run now, as SIGTERM would')).toEqual([
      '[0 scheduler]',
    ])
    expect(await run.end()).toEqual([0, 143, 0, 0])
  })

  it('waits for a job that ends in months, for which no timer would hold', async () => {
    const run = startRun({ at: now + 100 * 1440 * minute }, '3m')
    const program = await run.program()
    await run.pass(60 * minute)
    expect(program.signals).toEqual([])
    program.end(0)
    expect(await run.end()).toEqual([0, 0, 0, 0])
  })

  it('follows the clock of rank 0 where that is set', async () => {
    const run = startRun({ at: now + 60 * minute }, '3m')
    const program = await run.program()
    vi.setSystemTime(now + 58 * minute)
    await run.until(() => program.signals.length > 0)
    expect(await run.end()).toEqual([0, 143, 0, 0])
  })

  it('ends a run at once whose job ends sooner than that', async () => {
    const run = startRun({ at: now + minute }, '3m')
    const statuses = await run.end()
    // A second or two have passed.
    expect(run.log.join('\n')).toMatch(/^\[0 scheduler\] the job ends in [1-6][0-9] s: /m)
    expect(statuses[1]).toBe(143)
  })

  it('has no effect where nobody knows when the job ends, which rank 0 says', async () => {
    const run = startRun({ why: 'squeue is not there' }, '3m')
    const program = await run.program()
    expect(run.log.filter((line) => line.includes('endBefore'))).toEqual([
      expect.stringMatching(
        /^\[0 scheduler\] warn: endBefore 3 min has no effect: it is not known when the job ends, because squeue is not there$/,
      ),
    ])
    await run.pass(30 * minute)
    program.end(0)
    expect(await run.end()).toEqual([0, 0, 0, 0])
  })
})

describe('the end of the job', () => {
  it('is told to the program and to whoever reads the scheduler file', async () => {
    const run = startRun({ at: now + 10 * minute + 700 })
    const program = await run.program()
    await run.until(() => run.rank(1).components.place)
    expect(run.rank(1).components.place?.endTime).toBe(now / 1000 + 600)
    await run.until(() => run.published)
    expect(run.published?.dask_hpc_runner.end_time).toBe(now / 1000 + 600)
    program.end(0)
    await run.end()
  })

  it('delays nothing while it is asked for, and is not asked for any more when the run is over', async () => {
    const never = new Promise<JobEnd>(() => undefined)
    let isAsked = true
    const run = new WholeRun(4, { endBefore: '3m' })
    run.jobEnd = async (signal) => {
      signal.addEventListener('abort', () => (isAsked = false))
      return await never
    }
    run.start()
    const program = await run.program()
    expect(run.rank(1).components.place?.endTime).toBeUndefined()
    expect(isAsked).toBe(true)
    program.end(0)
    expect(await run.end()).toEqual([0, 0, 0, 0])
    expect(isAsked).toBe(false)
    expect(run.whoSaid('endBefore')).toEqual([])
  })
})

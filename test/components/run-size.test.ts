import { describe, expect, it } from 'vitest'
import { completeOptions, type RunnerOptions } from '../../src/options.ts'
import { assignRoles } from '../../src/identity/roles.ts'
import { checkRunSize } from '../../src/components/run-size.ts'

function check(size: number, given: RunnerOptions, isOnOneHost = false): () => void {
  const options = completeOptions(given)
  return () => {
    checkRunSize(options, { roles: assignRoles({ ...options, size }), isOnOneHost })
  }
}

describe('the size of a run', () => {
  it('has to hold the workers that are waited for, and those that it needs', () => {
    expect(check(4, { waitWorkers: 2, minWorkers: 2 })).not.toThrow()
    expect(check(4, { waitWorkers: 3 })).toThrow(new RangeError('Cannot use waitWorkers "3": the run starts 2 workers'))
    expect(check(3, { minWorkers: 2 })).toThrow(new RangeError('Cannot use minWorkers "2": the run starts 1 worker'))
    expect(check(4, { waitWorkers: 6, minWorkers: 6, nworkers: 3 })).not.toThrow()
    expect(check(4, { waitWorkers: 'all' })).not.toThrow()
  })

  it('leaves it to the cluster of another run how many workers there are to wait for', () => {
    const joining = { scheduler: false, schedulerFile: 's.json', client: false }
    expect(check(2, { ...joining, waitWorkers: 9 })).not.toThrow()
    expect(check(2, { ...joining, minWorkers: 3 })).toThrow('the run starts 2 workers')
  })

  it('names the flag or the variable', () => {
    const sources = { minWorkers: 'DASK_HPC_RUNNER_MIN_WORKERS' }
    expect(check(2, { minWorkers: 3, sources })).toThrow('Cannot use DASK_HPC_RUNNER_MIN_WORKERS "3"')
  })

  it('has a bound', () => {
    expect(check(201, { nworkers: 10_000 })).toThrow(
      'Cannot start 1990000 workers (nworkers 10000): a run has up to 1000000',
    )
  })

  it('has to have a port for each worker of one host', () => {
    expect(check(4, { workerPort: '9000' }, true)).toThrow('write a range such as 9000:9001')
    expect(check(4, { workerPort: '9000:9001' }, true)).not.toThrow()
    expect(check(4, { workerPort: '0' }, true)).not.toThrow()
    expect(check(4, { workerPort: '9000' })).not.toThrow()
  })
})

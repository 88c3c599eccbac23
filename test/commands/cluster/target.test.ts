import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemEnvironment } from '../../support/environment.ts'
import { completeTarget, tlsFor } from '../../../src/commands/cluster/target.ts'

const tlsEnv = {
  DASK_DISTRIBUTED__COMM__TLS__CA_FILE: 'ca.pem',
  DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT: 'cert.pem',
  DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY: 'key.pem',
}

describe('which cluster is meant', () => {
  const [schedulerFile, scheduler] = ['F.json', 'tcp://h:1']
  const [file, address] = ['DASK_HPC_RUNNER_SCHEDULER_FILE', 'DASK_HPC_RUNNER_SCHEDULER_ADDRESS']

  it('is said by the scheduler file, or by an address', () => {
    expect(completeTarget({ schedulerFile }, {})).toEqual({ path: resolve('F.json') })
    expect(completeTarget({ scheduler }, {})).toEqual({ address: 'tcp://h:1' })
  })

  it('is said by the flag where the other one is a variable', () => {
    const complete = (sources: Record<string, string>) => completeTarget({ schedulerFile, scheduler, sources }, {})
    expect(complete({ schedulerFile: file, scheduler: '--scheduler' })).toEqual({ address: 'tcp://h:1' })
    expect(complete({ schedulerFile: '--scheduler-file', scheduler: address })).toEqual({ path: resolve('F.json') })
    expect(() => complete({ schedulerFile: file, scheduler: address })).toThrow(`Cannot use ${address} and ${file}`)
  })

  it('has to be said, once', () => {
    expect(() => completeTarget({}, {})).toThrow(RangeError)
    expect(() => completeTarget({}, {})).toThrow('name its --scheduler-file')
    expect(() => completeTarget({ schedulerFile: 'F', scheduler: 'tcp://h:1' }, {})).toThrow('leave one of them out')
  })

  it('may be said with the placeholders that a batch script knows', () => {
    const path = (schedulerFile: string, env: NodeJS.ProcessEnv) => completeTarget({ schedulerFile }, env)
    expect(path('/s-{job_id}.{restart}.json', { SLURM_JOB_ID: '7' })).toEqual({ path: '/s-7.0.json' })
    expect(path('/s-{job_id}-{restart}.json', { SLURM_JOB_ID: '7', SLURM_RESTART_COUNT: '2' })).toEqual({
      path: '/s-7-2.json',
    })
    const again = systemEnvironment('aws-batch', { AWS_BATCH_JOB_ID: '7f3c#1', AWS_BATCH_JOB_ATTEMPT: '3' })
    expect(path('/s-{job_id}-{restart}.json', again)).toEqual({ path: '/s-7f3c-2.json' })
    expect(path('/s.json', { DASK_HPC_RUNNER_SCHEDULER_FILE: '/s.json' })).toEqual({ path: '/s.json' })
    const ofProgram = { DASK_HPC_RUNNER_SCHEDULER_FILE: '/s.json', DASK_HPC_RUNNER_N_WORKERS: '2' }
    expect(path('/s.json', ofProgram)).toEqual({ path: '/s.json', isOwnRun: true })
    expect(path('/other.json', ofProgram)).toEqual({ path: '/other.json' })
    expect(() => path('/s-{job_id}.json', {})).toThrow(
      'Cannot use --scheduler-file "/s-{job_id}.json": {job_id} is not',
    )
    const byVariable = { schedulerFile: '/s-{job_id}.json', sources: { schedulerFile: file } }
    expect(() => completeTarget(byVariable, {})).toThrow(`Cannot use ${file} "/s-{job_id}.json": {job_id} is not known`)
    expect(() => path('/s-{job_id}.{step_id}.json', { SLURM_JOB_ID: '7', SLURM_STEP_ID: '3' })).toThrow('{step_id}')
  })
})

describe('the certificates', () => {
  const absolute = (files: Record<string, string>) =>
    Object.fromEntries(Object.entries(files).map(([name, path]) => [name, resolve(path)]))
  const tls = (options: Parameters<typeof completeTarget>[0], env: NodeJS.ProcessEnv = tlsEnv) =>
    completeTarget({ schedulerFile: '/F', ...options }, env).tls

  it("are those of the flags, else those of Dask's environment variables", () => {
    expect(tls({})).toEqual(absolute({ caFile: 'ca.pem', cert: 'cert.pem', key: 'key.pem' }))
    expect(tls({}, {})).toBeUndefined()
    expect(tls({ tlsCaFile: 'a', tlsCert: 'b', tlsKey: 'c' })).toEqual(absolute({ caFile: 'a', cert: 'b', key: 'c' }))
    expect(tls({ tlsCaFile: 'a' })).toEqual(absolute({ caFile: 'a', cert: 'cert.pem', key: 'key.pem' }))
  })

  it('do not mix a certificate with the key of another', () => {
    expect(tls({ tlsCert: 'b' })).toEqual(absolute({ caFile: 'ca.pem', cert: 'b' }))
  })

  it('are asked for where they are incomplete or missing', () => {
    expect(() => tls({ tlsCert: 'b' }, {})).toThrow('--tls-ca-file and --tls-cert are both needed')
    expect(tlsFor('tcp://h:1', { path: '/F' })).toEqual({})
    expect(() => tlsFor('tls://h:1', { path: '/F' })).toThrow(expect.objectContaining({ code: 'ERR_ENVIRONMENT' }))
  })
})

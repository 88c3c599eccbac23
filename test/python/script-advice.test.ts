import { describe, expect, it } from 'vitest'
import { adviceFor, type ScriptPlace } from '../../src/python/script-advice.ts'

const place: ScriptPlace = {
  env: { SLURM_PROCID: '1', SLURM_JOB_ID: '7' },
  schedulerFile: '/scratch/scheduler-7.json',
}
const runner = (call: string): string =>
  `from dask_jobqueue.slurm import SLURMRunner\nwith ${call} as runner:\n    pass\n`

describe('adviceFor', () => {
  it.each([
    ['a plain Client()', 'from distributed import Client\nwith Client() as client:\n    pass\n'],
    ['Client(scheduler_file=…)', 'Client(scheduler_file="F.json")'],
    ['SLURMRunner at the file of the run', runner('SLURMRunner(scheduler_file="/scratch/scheduler-{job_id}.json")')],
    ['SLURMRunner with its default file', runner('SLURMRunner()')],
    ['SLURMRunner at a file that is computed', runner('SLURMRunner(scheduler_file=f"{base}/x.json")')],
    ['SLURMRunner with options that are computed', runner('SLURMRunner(**options)')],
    ['a SLURMRunner of another package', 'from ours import SLURMRunner\nSLURMRunner(scheduler_file="x")'],
    ['dask_mpi behind a question', 'if "DASK_SCHEDULER_ADDRESS" not in os.environ:\n    import dask_mpi\n'],
    ['what stands in a comment', '# from dask_mpi import initialize\n  # LocalCluster()\n'],
  ])('says nothing of %s', (_, text) => {
    expect(adviceFor(text, place)).toEqual([])
  })

  it.each([
    ['from dask_mpi import initialize\ninitialize()', /^uses dask_mpi, .*; leave initialize\(\) out/],
    ['    import dask_mpi as dm', /^uses dask_mpi, /],
    ['cluster = SLURMCluster(cores=4)\n', /^starts a cluster of its own by SLURMCluster\(\)/],
    ['cluster = LocalCluster()\n', /^starts a cluster of its own by LocalCluster\(\)/],
    ['client = Client(\n    "x", n_workers=4)', /^calls Client\(n_workers=…\), which Dask refuses/],
  ])('has a word for %j', (text, advice) => {
    expect(adviceFor(text, place)).toEqual([expect.stringMatching(advice)])
  })

  it('names the file that SLURMRunner waits for, and the option that has it written', () => {
    const own = { ...place, schedulerFile: '/scratch/scheduler-7.0.json' }
    const file = 'scheduler-{job_id}.json'
    const said = `waits for the scheduler file "${file}", and the file of this cluster is "scheduler-7.0.json"; add --scheduler-file '${file}'`
    expect(adviceFor(runner('SLURMRunner()'), own)).toEqual([said])
    expect(adviceFor(runner('SLURMRunner(\n  scheduler_file="x-{job_id}.json")'), own)[0]).toContain(
      '"x-{job_id}.json"',
    )
    // Before there is a job.
    const template = { env: {}, schedulerFile: '/scratch/scheduler-{job_id}.json' }
    expect(adviceFor(runner('SLURMRunner()'), template)).toEqual([])
  })

  it('says of SLURMRunner in another task than 1 that it would be no client there', () => {
    const said = adviceFor(runner('SLURMRunner()'), { ...place, env: { SLURM_PROCID: '0' } })
    expect(said).toEqual([
      expect.stringMatching(/^uses SLURMRunner, which is the client in task 1 alone, and runs in task 0/),
    ])
  })
})

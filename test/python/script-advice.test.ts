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
    ['what stands in a comment', '# from dask_mpi import initialize\nx = 1 # LocalCluster()\n'],
    ['what stands in a docstring', '"""Once began with\n\nfrom dask_mpi import initialize\n\'LocalCluster()\n"""\n'],
    [
      'what stands in a string',
      "print(\"Client(n_workers=1)\", 'it\\'s LocalCluster()', r\"\\\", '''SLURMCluster()''')",
    ],
    ['what Dask takes', 'Client(name="a", timeout=timeouts(n_workers=4))\nClient(x if processes == 1 else y)'],
  ])('says nothing of %s', (_, text) => {
    expect(adviceFor(text, place)).toEqual([])
  })

  it.each([
    [
      'from dask_mpi import initialize\ninitialize()',
      'fails',
      /^imports dask_mpi, and if .*; leave initialize\(\) out/,
    ],
    ['"""Run it."""\n    import dask_mpi as dm', 'fails', /^imports dask_mpi, and if /],
    ['cluster = SLURMCluster(cores=4)\n', 'idles', /^names SLURMCluster\(\), and if it uses that here, /],
    ['if a:\n    cluster = LocalCluster()\n', 'idles', /^names LocalCluster\(\), and if it uses that here, /],
    ['client = Client(\n    "x)", n_workers=4)', 'fails', /^has Client\(n_workers=…\), and if it calls that here, /],
    ['client = Client(f(1), processes=False)', 'fails', /^has Client\(processes=…\), and if it calls that here, /],
  ])('has a word of possibility for %j', (text, kind, advice) => {
    expect(adviceFor(text, place)).toEqual([{ kind, text: expect.stringMatching(advice) as string }])
  })

  it.each([
    'client = Client(LocalCluster(n_workers=1))\n',
    'client = Client() if here else Client(LocalCluster(n_workers=1, processes=False))\n',
    'if here:\n    client = Client()\nelse:\n    client = Client(LocalCluster(threads_per_worker=2))\n',
    'try:\n    client = Client()\nexcept OSError:\n    client = Client(LocalCluster(\n        n_workers=1,\n    ))\n',
  ])('does not take options of another call for those of Client: %j', (text) => {
    expect(adviceFor(text, place).map(({ kind }) => kind)).toEqual(['idles'])
  })

  it('names the file that SLURMRunner waits for, and the option that has it written', () => {
    const own = { ...place, schedulerFile: '/scratch/scheduler-7.0.json' }
    const file = 'scheduler-{job_id}.json'
    const said = `uses SLURMRunner, which waits for the scheduler file "${file}", and the file of this cluster is "scheduler-7.0.json"; add --scheduler-file '${file}'`
    expect(adviceFor(runner('SLURMRunner()'), own)).toEqual([{ kind: 'waits', text: said }])
    expect(adviceFor(runner('SLURMRunner(\n  scheduler_file="x-{job_id}.json")'), own)[0]?.text).toContain(
      '"x-{job_id}.json"',
    )
    // Before there is a job.
    const template = { env: {}, schedulerFile: '/scratch/scheduler-{job_id}.json' }
    expect(adviceFor(runner('SLURMRunner()'), template)).toEqual([])
  })

  it.each([
    ['in a branch', { SLURM_PROCID: '1' }, 'if a:\n    runner = SLURMRunner()\n'],
    ['in a function', { SLURM_PROCID: '1' }, 'def main():\n    with SLURMRunner() as runner:\n        pass\n'],
    ['in an expression', { SLURM_PROCID: '1' }, 'runner = SLURMRunner() if a else None\n'],
    ['after what may end the script', { SLURM_PROCID: '1' }, 'if a:\n    sys.exit(main())\nrunner = SLURMRunner()\n'],
    ['outside of Slurm', {}, 'runner = SLURMRunner()\n'],
  ])('is not sure that a SLURMRunner waits %s', (_, env, text) => {
    const advice = adviceFor(`from dask_jobqueue.slurm import SLURMRunner\n${text}`, {
      env,
      schedulerFile: '/x/y.json',
    })
    const said = /^names SLURMRunner, and if it uses it here, that waits for the scheduler file/
    expect(advice).toEqual([{ kind: 'idles', text: expect.stringMatching(said) as string }])
  })

  it('says of SLURMRunner in another task than 1 that it would be no client there', () => {
    const said = adviceFor(runner('SLURMRunner()'), { ...place, env: { SLURM_PROCID: '0' } })
    const text = /^uses SLURMRunner, which is the client in task 1 alone, and runs in task 0/
    expect(said).toEqual([{ kind: 'waits', text: expect.stringMatching(text) as string }])
  })
})

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, program, programs } from '../support/cluster.ts'
import { slurmEnvironment } from '../support/environment.ts'
import { startTasks } from '../support/step.ts'

const share = ['--', 'python3', join(programs, 'share.py')]
const shareAndStatus = ['--', 'sh', '-c', `python3 ${join(programs, 'share.py')} && '${program}' status`]

/** What the program says of each worker, without threads and memory where these are those of this machine. */
function lines(output: string, from = 3): string[] {
  const all = output.trim().split('\n')
  return all.map((line) => line.split(' ')).map(([name, ...rest]) => [name, ...rest.slice(from - 1)].join(' '))
}

test('four tasks of a node begin with a GPU each, of which they have told Dask', async () => {
  await using cluster = await Cluster.make()
  const tasks = [0, 1, 2, 3].map((rank) =>
    slurmEnvironment('gpu-shared-proc3', {
      SLURM_PROCID: `${rank}`,
      SLURM_LOCALID: `${rank}`,
      SLURM_MEM_PER_GPU: '1024',
    }),
  )
  const runs = startTasks(cluster, tasks, ['--layout', 'shared', ...share])
  for (const run of runs) await run.expectStatus(0)
  expect(lines(runs[0]?.stdout ?? '', 1)).toEqual([
    '0 1 1073741824 GPU=1 CUDA_VISIBLE_DEVICES=0,1,2,3 ROCR_VISIBLE_DEVICES=0,1,2,3',
    '1 1 1073741824 GPU=1 CUDA_VISIBLE_DEVICES=1,2,3,0 ROCR_VISIBLE_DEVICES=0,1,2,3',
    '2 1 1073741824 GPU=1 CUDA_VISIBLE_DEVICES=2,3,0,1 ROCR_VISIBLE_DEVICES=0,1,2,3',
    '3 1 1073741824 GPU=1 CUDA_VISIBLE_DEVICES=3,0,1,2 ROCR_VISIBLE_DEVICES=0,1,2,3',
  ])
  for (const run of runs) run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

test('so do the workers of one task, beside the resources of the configuration, and status names them', async () => {
  await using cluster = await Cluster.make()
  const env = { CUDA_VISIBLE_DEVICES: 'GPU-a,GPU-b', DASK_DISTRIBUTED__WORKER__RESOURCES: '{"MEM": 7}' }
  const run = cluster.run(['local', '-n', '1', '--nworkers', '2', ...shareAndStatus], env)
  await run.expectStatus(0)
  expect(lines(run.stdout).slice(0, 2)).toEqual([
    '0-0 GPU=1 MEM=7 CUDA_VISIBLE_DEVICES=GPU-a,GPU-b',
    '0-1 GPU=1 MEM=7 CUDA_VISIBLE_DEVICES=GPU-b,GPU-a',
  ])
  expect(run.stdout).toMatch(/ 0-0 +running +\d+ +1 \(GPU-a\) .*\n.* 0-1 +running +\d+ +1 \(GPU-b\) /)
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

test('under a nanny too; what the user says of the resource is so, and status tells the GPUs themselves', async () => {
  await using cluster = await Cluster.make()
  const env = { CUDA_VISIBLE_DEVICES: '0,1', DASK_DISTRIBUTED__WORKER__RESOURCES: '{"GPU": 5}' }
  const run = cluster.run(['local', '-n', '1', '--nworkers', '2', '--nanny', ...shareAndStatus], env)
  await run.expectStatus(0)
  expect(lines(run.stdout).slice(0, 2)).toEqual([
    '0-0 GPU=5 CUDA_VISIBLE_DEVICES=0,1',
    '0-1 GPU=5 CUDA_VISIBLE_DEVICES=1,0',
  ])
  expect(run.stdout).toMatch(/^workers .* 2 GPUs, /m)
  expect(run.stdout).toMatch(/ 0-0 +running +\d+ +1 \(0\) .*\n.* 0-1 +running +\d+ +1 \(1\) /)
  await cluster.expectNothingLeft()
})

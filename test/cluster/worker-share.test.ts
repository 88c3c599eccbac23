import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, program, programs } from '../support/cluster.ts'

const shareAndStatus = ['--', 'sh', '-c', `python3 ${join(programs, 'share.py')} && '${program}' status`]

/** What the program says of each worker, without threads and memory where these are those of this machine. */
function lines(output: string): string[] {
  const all = output.trim().split('\n')
  return all.map((line) => line.split(' ')).map(([name, ...rest]) => [name, ...rest.slice(2)].join(' '))
}

test('the workers of one task begin with a GPU each, beside the resources of the configuration, and status names them', async () => {
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

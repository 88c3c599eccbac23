import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs, type Started } from '../support/cluster.ts'
import { slurmEnvironment } from '../support/environment.ts'
import { startTasks } from '../support/step.ts'

const bin = resolve(import.meta.dirname, '../../fixtures/bin')
const command =
  'dask-cuda-worker {scheduler_address} --name {name} --nthreads {nthreads} --memory-limit {memory_limit} ' +
  '--local-directory {local_directory} --resources "{resources}"'

/** Starts a run in which the stand-in for dask-cuda-worker is found. */
function start(cluster: Cluster, args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  return cluster.run(args, { PATH: `${cluster.env.PATH ?? ''}:${bin}`, ...env })
}

test('a command brings two workers in each task, with GPUs of its own and TLS in a clean container, which are waited for and ended', async () => {
  await using cluster = await Cluster.make()
  const tasks = [0, 1].map((rank) =>
    slurmEnvironment('mem-per-gpu-proc3', {
      SLURM_PROCID: `${rank}`,
      SLURM_LOCALID: `${rank}`,
      SLURM_NODEID: '0',
      SLURMD_NODENAME: 'node0',
      SLURM_NNODES: '1',
      SLURM_STEP_NUM_NODES: '1',
      SLURM_NTASKS: '2',
      SLURM_STEP_NUM_TASKS: '2',
      SLURM_STEP_NODELIST: 'node0',
      SLURM_STEP_TASKS_PER_NODE: '2',
      CUDA_VISIBLE_DEVICES: '0,1,2,3',
      PATH: `${cluster.env.PATH ?? ''}:${bin}`,
    }),
  )
  const args = [
    '--worker-command',
    `cleanenv-container ${command}`,
    '--workers-per-command',
    '2',
    '--wait-workers',
    'all',
    '--layout',
    'shared',
    '--secure',
  ]
  const runs = startTasks(cluster, tasks, [...args, '--', 'python3', join(programs, 'share.py')])
  for (const run of runs) await run.expectStatus(0)
  expect(runs[0]?.stdout.match(/^\d.*$/gm)).toEqual([
    '0-0 1 1073741824 GPU=1 CUDA_VISIBLE_DEVICES=0,1',
    '0-1 1 1073741824 GPU=1 CUDA_VISIBLE_DEVICES=0,1',
    '1-0 1 1073741824 GPU=1 CUDA_VISIBLE_DEVICES=2,3',
    '1-1 1 1073741824 GPU=1 CUDA_VISIBLE_DEVICES=2,3',
  ])
  expect(runs[0]?.stderr).toContain('all 4 workers are there')
  expect(runs[0]?.stderr).toContain('cluster at tls://')
  expect(runs[1]?.stdout).toContain('[1 worker] closes 2 workers')
  await cluster.expectNothingLeft()
})

test('a worker of a command that has another Dask is named, and one that nobody reaches', async () => {
  await using cluster = await Cluster.make()
  const one = async (env: NodeJS.ProcessEnv, says: RegExp): Promise<void> => {
    const call = ['local', '-n', '1', '--gpus-per-worker', '3', '--worker-command', command, '--', 'sleep', '600']
    const run = start(cluster, call, {
      CUDA_VISIBLE_DEVICES: '0',
      ...env,
    })
    await run.expectOutput(says)
    run.signal('SIGTERM')
    await run.expectStatus(143)
    expect(run.stderr).toContain('--gpus-per-worker asks for 3 GPUs for each worker, and its task sees 1\n')
  }
  await Promise.all([
    one(
      { FAKE_VERSION: '2021.1.0' },
      /warn: worker 0-0 on \S+ runs Dask 2021\.1\.0 \(Python [\d.]+\), the scheduler Dask /,
    ),
    one({ FAKE_ADDRESS: 'tcp://127.0.0.1:1' }, /warn: worker 0-0 on \S+ is registered at tcp:\/\/127\.0\.0\.1:1, but /),
  ])
  await cluster.expectNothingLeft()
})

test('a command that crashes is started again, and one that ends well is not', async () => {
  await using cluster = await Cluster.make()
  const end = cluster.path('end')
  cluster.expectFile('end.done')
  const args = ['local', '-n', '1', '--worker-command', `${command} --end-file ${end}`]
  await writeFile(end, '3')
  const run = start(cluster, [...args, '--', 'sleep', '600'], { CUDA_VISIBLE_DEVICES: '0' })
  await run.expectOutput(/Worker 0 on \S+ exited with status 3; it is started again/)
  await writeFile(end, '0')
  await run.expectStatus(69)
  expect(run.stderr).toMatch(/Worker 0 on \S+ exited with status 0; no worker is left/)
  await cluster.expectNothingLeft()
})

test('a command that is not there, or never registers, ends the run with its name', async () => {
  await using cluster = await Cluster.make()
  const missing = start(cluster, [
    'local',
    '-n',
    '1',
    '--worker-command',
    'no-such-program {name}',
    '--',
    'sleep',
    '100',
  ])
  await missing.expectStatus(69)
  expect(missing.stderr).toMatch(/Worker 0 on \S+ (could not be started|exited with status 127)/)
  const mute = ['local', '-n', '1', '--workers-timeout', '2s', '--wait-workers', 'all']
  const silent = start(cluster, [...mute, '--worker-command', 'sleep 100', '--', 'true'])
  await silent.expectStatus(75)
  expect(silent.stderr).toContain('worker 0')
  await cluster.expectNothingLeft()
})

import { copyFile, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expect } from 'vitest'
import { Authority, type Certificate } from '../support/certificates.ts'
import { programs } from '../support/cluster.ts'
import { debian13Python } from '../support/debian13.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'
import type { Workspace } from '../support/slurm/workspace.ts'

const test = slurmTest({ hosts: 4 })
const four = ['--nodes=4', '--ntasks=4']
const newer = debian13Python()
const parts = join(programs, 'tls_parts.py')
const ofRun = /^\S+ ?\d? node\d (\/dev\/shm\/dask-hpc-runner-\S+-tls-\w+) 700 600 600 600$/gm

/** Checks the directories that {@link parts} has printed: one for each part, and none is left on any host. */
async function expectGone(work: Workspace, stdout: string, count: number): Promise<void> {
  const directories = [...stdout.matchAll(ofRun)].map(([, directory = '']) => directory)
  expect(new Set(directories).size, stdout).toBe(count)
  for (const host of work.slurm.hostNames)
    for (const directory of directories)
      expect(await stat(work.slurm.host(host).path(directory)).catch(() => 'gone'), `${host} ${directory}`).toBe('gone')
}

test.concurrent(
  '--secure over several hosts: wait, status, env and stop work on every node, and nothing is left',
  async ({ work }) => {
    const run = ['dask-hpc-runner', 'run', '--secure', '--no-client', '--scheduler-file', 'F.json']
    const step = work.srun(four, run)
    await work.expectText('F.json', '"dask_hpc_runner"')
    const at = ['--scheduler-file', 'F.json']
    const wait = work.start(
      ['dask-hpc-runner', 'wait', ...at, '--workers', '3', '--', 'python', parts, '3'],
      {},
      'node3',
    )
    await wait.expectStatus(0)
    expect(wait.stdout).toMatch(/^client node3 .*\nscheduler node0 .*\nworker 1 .*\nworker 2 .*\nworker 3 .*\ntls 6\n$/)
    const status = work.start(['dask-hpc-runner', 'status', ...at])
    await status.expectStatus(0)
    expect(status.stdout).toMatch(/^scheduler +tls:.*^workers +3 of 3 run/ms)
    const program = 'from dask.distributed import Client; print(Client().submit(sum, [1, 2, 3]).result())'
    const env = `set -e; eval "$(dask-hpc-runner env ${at.join(' ')})"; python -c '${program}'; eval "$(dask-hpc-runner env ${at.join(' ')} --remove)"; env`
    const joined = work.start(['sh', '-c', env], {}, 'node2')
    await joined.expectStatus(0)
    expect(joined.stdout).toMatch(/^6\n/)
    expect(joined.stdout).not.toMatch(/TLS__|REQUIRE_ENCRYPTION|SCHEDULER_ADDRESS/)
    // A node of a job mostly has no directory of a login.
    expect(joined.stderr).toMatch(/^dask-hpc-runner: removed "\/dev\/shm\/dask-hpc-runner-env-0-\w+"$/m)
    await work.start(['dask-hpc-runner', 'stop', ...at], {}, 'node1').expectStatus(0)
    await step.expectStatus(0)
    step.expectNoAlarm()
    await work.expectNothingLeft()
    await expectGone(work, wait.stdout, 5)
  },
)

test.concurrent(
  "--secure over several hosts with Debian 13's Dask: each part has certificates of its own node, and none is left",
  async ({ work, skip }) => {
    skip(newer === undefined, 'Debian 13 cannot run here')
    const dask = ['--python', newer ?? '', '--nanny', '--', newer ?? '', parts, '2']
    const step = work.srun(four, ['dask-hpc-runner', 'run', '--secure', ...dask])
    await step.expectStatus(0)
    expect(step.stdout).toMatch(/^client node1 .*\nscheduler node0 .*\nworker 2 node2 .*\nworker 3 node3 .*\ntls 6\n$/)
    step.expectNoAlarm()
    await work.expectNothingLeft()
    await expectGone(work, step.stdout, 4)
  },
)

test.concurrent(
  'one file of each node: own certificates serve, and one that is wrong on a node is told with that node',
  async ({ work }) => {
    work.expectFile('certificates')
    work.expectFile('mine.*')
    const authority = new Authority(work.path('certificates'))
    const stranger = new Authority(work.path('certificates'), 'other').sign('stranger')
    const there = join('/tmp', basename(work.directory))
    const files = { caFile: `${there}/mine.ca`, cert: `${there}/mine.crt`, key: `${there}/mine.key` }
    const give = async (host: string, certificate: Certificate): Promise<void> => {
      for (const part of ['caFile', 'cert', 'key'] as const)
        await copyFile(certificate[part], work.slurm.host(host).path(files[part]))
    }
    for (const host of work.slurm.nodes) await give(host, authority.sign(host))
    const tls = ['--tls-ca-file', files.caFile, '--tls-cert', files.cert, '--tls-key', files.key]
    const run = ['dask-hpc-runner', 'run', ...tls, '--rendezvous-timeout', '1m', '--scheduler-file', 'F.json']
    const python = newer ?? 'python'
    const dask = ['--python', python, '--nanny', '--', python, parts, '2']
    const step = work.srun(four, [...run, ...dask])
    await step.expectStatus(0)
    expect(step.stdout).toMatch(/^client node1 .*\nscheduler node0 .*\nworker 2 node2 .*\nworker 3 node3 .*\ntls 6\n$/)
    await work.expectNothingLeft()

    await rm(work.slurm.host('node0').path(files.cert))
    const missing = work.srun(four, [...run, '--', 'false'])
    await missing.expectStatus(78)
    const why = `error: Cannot use TLS: there is no file "${files.cert}" for the certificate`
    expect(missing.errors()).toEqual([`[0 scheduler] ${why}`])
    await work.expectNothingLeft()

    await give('node0', authority.sign('node0'))
    await give('node3', stranger)
    const strange = work.srun(four, [...run, '--wait-workers', 'all', '--', 'false'])
    await strange.expectStatus(78)
    expect(strange.stderr).toMatch(
      /^\[0 scheduler\] error: Cannot use the scheduler at tls:\S+ from node3: .*certificate.* \(rank 3 on node3\)$/m,
    )
    await work.expectNothingLeft()
  },
)

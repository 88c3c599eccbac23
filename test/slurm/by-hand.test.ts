import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freezerOf, hasFreezer } from '../support/slurm/cgroups.ts'
import { noSlurm } from '../support/slurm/slurm-test.ts'
import { until } from '../support/until.ts'

const root = resolve(import.meta.dirname, '../..')

/** Runs scripts/slurm-cluster.mjs to its end. */
function cluster(name: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const script = join(root, 'scripts/slurm-cluster.mjs')
  const env = { ...process.env, SLURM_CLUSTER: name }
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env })
}

/** A name that no person has given, and whose cluster ends with the test at the latest. */
function ownName(): string {
  const name = `test-${process.pid}`
  onTestFinished(async () => {
    cluster(name, 'stop')
    await rm(join(root, '.cache/slurm', name), { recursive: true, force: true })
  })
  return name
}

describe.skipIf(noSlurm)('a cluster started by hand', () => {
  test('runs commands on its hosts until it is stopped', () => {
    const name = ownName()
    expect(cluster(name, 'status')).toMatchObject({ status: 1, stderr: 'There is no cluster: start one first\n' })
    const { stdout, stderr } = cluster(name, 'start', '{"hosts":5}')
    expect(stdout, stderr).toContain('node[0-4]')
    expect(cluster(name, 'start')).toMatchObject({ status: 1 })
    expect(cluster(name, 'run', 'node4', 'hostname')).toMatchObject({ status: 0, stdout: 'node4\n' })
    expect(cluster(name, 'run', 'login', 'sh', '-c', 'exit 3')).toMatchObject({ status: 3 })
    expect(cluster(name, 'stop')).toMatchObject({ status: 0 })
    expect(cluster(name, 'status')).toMatchObject({ status: 1 })
    expect(existsSync(directoryIn(stdout))).toBe(false)
  })

  test('leaves nothing where its keeper is killed', async () => {
    const name = ownName()
    const options = { hosts: 2, cacheSeconds: 4, processTracking: hasFreezer() ? 'cgroup' : 'pgid' }
    const { stdout, stderr } = cluster(name, 'start', JSON.stringify(options))
    const [, keeper] = /kept by process (\d+)/.exec(stdout) ?? expect.fail(stderr)
    const nodes = cluster(name, 'run', 'login', 'srun', '--nodes=2', 'hostname').stdout.trim().split('\n')
    expect(nodes).toHaveLength(2)
    cluster(name, 'run', 'login', 'sbatch', '--nodes=2', '--wrap=srun sleep 600')
    process.kill(Number(keeper), 'SIGKILL')
    await until(
      () => [directoryIn(stdout), ...nodes.map(freezerOf)].filter((path) => existsSync(path)),
      (left) => left.length === 0,
      { what: 'the directory and the cgroups of the cluster are gone', say: (left) => left.join('\n') },
    )
  })
})

/** The directory of the cluster, which `start` names. */
function directoryIn(stdout: string): string {
  const [, base] = /^shared directory: (.*)\/shared;/m.exec(stdout) ?? expect.fail(stdout)
  return base ?? ''
}

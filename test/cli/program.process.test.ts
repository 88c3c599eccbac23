import { copyFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { Cluster, program } from '../support/cluster.ts'
import { slurmEnvironment } from '../support/environment.ts'

/** Runs the built program outside of a job, or in `env`, and checks its exit status. */
async function run(status: number, args: readonly string[], env: Record<string, string> = {}) {
  await using cluster = await Cluster.make()
  const { PATH: _, ...rest } = env
  const started = cluster.run(args, rest)
  await started.expectStatus(status)
  await cluster.expectNothingLeft()
  return { stdout: started.stdout, stderr: started.stderr }
}

describe('the program', () => {
  it('helps a newcomer: commands, an example for srun, and the exit statuses', async () => {
    const { stdout, stderr } = await run(0, ['--help'])
    for (const word of ['run', 'local', 'plan', 'srun -N4', 'dask-hpc-runner local -n 4', 'Client()', '64', '78'])
      expect(stdout).toContain(word)
    expect(stderr).toBe('')
    expect((await run(0, ['run', '--help'])).stdout).toContain("Dask's own options")
  })

  it('is one file that works where there is nothing else', async () => {
    await using cluster = await Cluster.make()
    for (const name of ['copy.cjs', 'copy.js']) {
      cluster.expectFile(name)
      await copyFile(program, cluster.path(name))
      const started = cluster.start([process.execPath, name, '--version'])
      await started.expectStatus(0)
      expect(started.output).toContain(packageJson.version)
      expect(started.stderr).toBe('')
    }
    await cluster.expectNothingLeft()
  })

  it('tells its version', async () => {
    expect((await run(0, ['--version'])).stdout).toBe(`${packageJson.version}\n`)
  })

  it.each([
    ['a flag that it does not know', ['run', '--schedular-file', 'x'], '--schedular-file'],
    ['a command that it does not know', ['rnu'], 'rnu'],
  ])('exits 64 at %s, and names it', async (_, args, word) => {
    const { stdout, stderr } = await run(64, args)
    expect(stderr).toContain(word)
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(stdout).toBe('')
  })

  it('prints the plan for a number of processes', async () => {
    const { stdout } = await run(0, ['plan', '-n', '4', '--scheduler-file', '/x/s.json'])
    expect(stdout).toBe(
      'rank  host  roles\n0     ?     scheduler\n1     ?     client\n2     ?     worker\n3     ?     worker\n\nscheduler file: /x/s.json\nfound by polling: within 120 ms\n',
    )
  })

  it('prints the plan of the job that it is part of', async () => {
    const { stdout } = await run(0, ['plan'], slurmEnvironment('step-4nodes-1task-each-proc1'))
    expect(stdout).toContain('this process: rank 1 of 4 on node1')
  })

  it('exits 78 in a batch script that forgot srun, and says so', async () => {
    const { stderr } = await run(78, ['run', '--', 'true'], slurmEnvironment('batch-script-3nodes-6tasks'))
    expect(stderr).toContain('start me with srun')
  })
})

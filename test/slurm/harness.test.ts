import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SlurmCluster } from '../support/slurm/slurm-cluster.ts'
import { noSlurm } from '../support/slurm/slurm-test.ts'

describe.skipIf(noSlurm)('a Slurm of several hosts', () => {
  test('its hosts have names, addresses, processes and a /tmp of their own', async () => {
    await using slurm = await SlurmCluster.start()
    const say = 'echo $(hostname) $(hostname -I) $$; touch "/tmp/of-$(hostname)"; sleep 0.5; cd /tmp; ls -d of-*'
    const lines = (await slurm.on('login', ['srun', '--nodes=4', '--label', 'bash', '-c', say])).trim().split('\n')
    const of = (task: number): string[] =>
      lines.filter((line) => line.startsWith(`${task}: `)).map((line) => line.slice(3))
    for (const task of [0, 1, 2, 3]) {
      const [who = '', ...files] = of(task)
      expect(who).toMatch(new RegExp(`^node${task} 10\\.97\\.0\\.${task + 2} \\d{1,4}$`))
      expect(files).toEqual([`of-node${task}`])
    }
    await expect(slurm.expectNothingLeft()).rejects.toThrow(/left in \/tmp of node0: of-node0/)
  })

  test('two of them run side by side and know nothing of each other', async () => {
    await using first = await SlurmCluster.start({ hosts: 4 })
    await using second = await SlurmCluster.start({ hosts: 5 })
    const job = await first.on('login', ['sbatch', '--parsable', '--nodes=4', '--wrap=sleep 600'])
    await first.waitFor(job.trim(), 'RUNNING')
    expect(await second.on('login', ['squeue', '--noheader'])).toBe('')
    expect(await second.on('login', ['srun', '--nodes=5', 'hostname'])).toContain('node4')
    expect(await first.on('login', ['squeue', '--noheader'])).toContain('node[0-3]')
  })

  test('a cached mount misses for its time what it was asked for too early, and lists it at once', async () => {
    await using slurm = await SlurmCluster.start({ hosts: 2, cacheSeconds: 60 })
    await slurm.run('node1', ['stat', 'early'])
    await slurm.on('node0', ['touch', 'early'])
    expect((await slurm.run('node1', ['stat', 'early'])).status).toBe(1)
    expect(await slurm.on('node1', ['ls'])).toBe('early\n')
    expect((await slurm.run('node0', ['stat', 'early'])).status).toBe(0)
  })

  test('a link is cut and mended, and a host dies without a word', async () => {
    await using slurm = await SlurmCluster.start({ hosts: 2 })
    const reach = (seconds: string): string[] => ['timeout', seconds, 'bash', '-c', '</dev/tcp/node1/6818']
    expect((await slurm.run('node0', reach('60'))).status).toBe(0)
    await slurm.cutLink('node1')
    expect((await slurm.run('node0', reach('2'))).status).toBe(124)
    await slurm.mendLink('node1')
    expect((await slurm.run('node0', reach('60'))).status).toBe(0)
    const job = slurm.on('login', ['srun', '--nodelist=node1', 'sleep', '600'])
    job.catch(() => undefined)
    await slurm.expectProcess('node1', 'sleep 600')
    await slurm.killHost('node1')
    expect((await slurm.run('node0', reach('2'))).status).not.toBe(0)
    expect(slurm.nodes).toEqual(['node0'])
    expect(await commands(slurm.base)).not.toContain('sleep 600')
  })

  test('nothing is left of one that has ended, nor of one that could not start', async () => {
    const slurm = await SlurmCluster.start({ cacheSeconds: 4 })
    const job = slurm.on('login', ['srun', '--nodes=4', 'sleep', '600'])
    job.catch(() => undefined)
    await slurm.expectProcess('node3', 'sleep 600')
    await slurm[Symbol.asyncDispose]()
    expect(await commands(slurm.base)).toEqual([])
    expect(existsSync(slurm.base)).toBe(false)

    const broken = await SlurmCluster.start({ settings: { SelectType: 'select/nonsense' } }).then(
      () => expect.fail('it started'),
      (error: unknown) => String(error),
    )
    expect(broken).toContain('select/nonsense')
    const [base = ''] = /\/\S*dask-hpc-runner-slurm-\w+/.exec(broken) ?? []
    expect(await commands(base)).toEqual([])
    expect(existsSync(base)).toBe(false)
  })
})

/** Command lines of all processes of the machine that have to do with a cluster, by its directory in their environment. */
async function commands(base: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const read = async (pid: string, name: string): Promise<string> =>
    (await readFile(join('/proc', pid, name), 'utf8').catch(() => '')).replaceAll('\0', ' ').trim()
  const all = await Promise.all(
    pids.map(async (pid) => [await read(pid, 'environ'), await read(pid, 'cmdline')] as const),
  )
  return all.filter((texts) => texts.some((text) => text.includes(base))).map(([, command]) => command)
}

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Cluster, program } from '../support/cluster.ts'
import { canMount } from '../support/mount.ts'

/** A directory of the user's, which has nothing to do with the run. */
async function makeResults(path: string): Promise<{ readonly expectKept: () => Promise<void> }> {
  await mkdir(path)
  await writeFile(join(path, 'data'), 'the work of a month')
  return {
    expectKept: async () => {
      expect(await readFile(join(path, 'data'), 'utf8')).toBe('the work of a month')
    },
  }
}

describe('the program', () => {
  it.each([
    ['the scheduler file', 64, (results: string) => ({ args: ['--scheduler-file', `x\nd ${results}`] })],
    ['the report', 64, (results: string) => ({ args: ['--report', `x\nd ${results}`] })],
    ['the local directory', 64, (results: string) => ({ args: ['--local-directory', `${results}\n`] })],
    ['TMPDIR', 78, (results: string) => ({ env: { TMPDIR: `${results}\n` } })],
  ])('refuses the end of a line in the path of %s, and removes nothing', async (_, status, use) => {
    await using cluster = await Cluster.make()
    const results = join(cluster.directory, 'results')
    const { expectKept } = await makeResults(results)
    const { args = [], env = {} } = use(results) as { args?: string[]; env?: NodeJS.ProcessEnv }
    const started = cluster.run(['local', '-n', '2', ...args, '--', 'true'], env)
    await started.expectStatus(status)
    expect(started.stderr).toContain('such as the end of a line')
    expect(started.stderr).toContain('\\u000a')
    expect(started.stderr.trim().split('\n')).toHaveLength(1)
    await expectKept()
    await cluster.expectNothingLeft()
  })

  it('refuses a working directory with the end of a line in its name', async () => {
    await using cluster = await Cluster.make()
    const { expectKept } = await makeResults(join(cluster.directory, 'results'))
    const script = 'mkdir "$1" && cd "$1" && shift && exec "$@"'
    const run = [process.execPath, program, 'local', '-n', '2', '--', 'true']
    const name = `${join(cluster.directory, 'results')}\n`
    const started = cluster.start(['/bin/sh', '-c', script, 'sh', name, ...run])
    await started.expectStatus(78)
    expect(started.stderr).toContain('Cannot use the working directory')
    await expectKept()
    await cluster.expectNothingLeft()
  })

  it('refuses a working directory whose name is no UTF-8, and makes none of another name beside it', async () => {
    await using cluster = await Cluster.make()
    const script = 'cd "$1" && shift && name=$(printf "caf\\351") && mkdir "$name" && cd "$name" && exec "$@"'
    const run = [process.execPath, program, 'local', '-n', '2', '--', 'true']
    const before = await readdir(cluster.directory, 'buffer')
    const started = cluster.start(['/bin/sh', '-c', script, 'sh', cluster.directory, ...run])
    await started.expectStatus(78)
    expect(started.stderr).toMatch(
      /Cannot use the working directory ".*\/caf\ufffd": its name is no UTF-8; start in another one\n$/,
    )
    expect(await readdir(cluster.directory, 'buffer')).toHaveLength(before.length + 1)
    await cluster.expectNothingLeft()
  })

  it.each([
    ['an', 'local', '-n', '2', '--', 'true'],
    ['an option with an', 'plan', '--log-directory'],
  ])('refuses %s argument whose bytes are no UTF-8, which a program would get as others', async (_, ...args) => {
    await using cluster = await Cluster.make()
    const script = 'exec "$@" "$(printf "caf\\351")"'
    const started = cluster.start(['/bin/sh', '-c', script, 'sh', process.execPath, program, ...args])
    await started.expectStatus(64)
    expect(started.stderr).toMatch(/Cannot use the argument "caf\ufffd": it is no UTF-8; have a shell name it .*\n$/)
    expect(started.stderr.trim().split('\n')).toHaveLength(1)
    await cluster.expectNothingLeft()
  })

  it('takes an argument that has the character by which Node replaces such bytes', async () => {
    await using cluster = await Cluster.make()
    const started = cluster.run(['local', '-n', '0', '--', 'true', 'caf\ufffd'])
    await started.expectStatus(64)
    expect(started.stderr).toMatch(/^dask-hpc-runner: error: Cannot use --ntasks "0": .*\n$/)
    await cluster.expectNothingLeft()
  })

  it.each([
    ['local', '-n', '2', '--', 'true'],
    ['local', '-n', '2', '--scheduler-file', '/dev/shm/dask-hpc-runner-none/s.json', '--', 'true'],
    ['plan', '-n', '2'],
    ['doctor'],
    ['status', '--scheduler-file', 'x.json'],
    ['wait', '--scheduler-file', 'x.json', '--', 'true'],
    ['stop', '--scheduler-file', 'x.json'],
  ])('says that the working directory was removed: %s %s %s %s', async (...args) => {
    await using cluster = await Cluster.make()
    const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    const started = cluster.start(['/bin/sh', '-c', script, 'sh', process.execPath, program, ...args])
    await started.expectStatus(78)
    expect(started.stderr).toContain('Cannot use the working directory: it was removed; start in another one')
    expect(started.stderr.trim().split('\n')).toHaveLength(1)
    await cluster.expectNothingLeft()
  })

  it.runIf(canMount || process.env.CI === 'true')('says that there is no /proc', async () => {
    await using cluster = await Cluster.make()
    const script = 'mount -t tmpfs none /proc && exec "$@"'
    const run = [process.execPath, program, 'local', '-n', '2', '--', 'true'] as const
    const started = cluster.start(['unshare', '--mount', '/bin/sh', '-c', script, 'sh', ...run])
    await started.expectStatus(78)
    expect(started.stderr).toContain('it has no /proc, which Dask needs')
    await cluster.expectNothingLeft()
  })
})

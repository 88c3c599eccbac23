import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { Cluster, python } from '../support/cluster.ts'
import { commonGroup, makeShared, shellAs, stranger, test, user } from '../support/second-user.ts'

it.each([
  ['/proc/nope', 'ENOENT'],
  ['/proc/self/status/nope', 'ENOTDIR'],
  ['/dev/null', 'ENOTDIR'],
])('--local-directory %s, in which nothing can be made, ends a run at once', async (path, why) => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '1', '--python', python, '--local-directory', path, '--', 'touch', 'started'])
  await run.expectStatus(78)
  expect(run.stderr).toMatch(
    new RegExp(
      `error: Cannot make a directory for the workers of \\S+ in "${path}": ${why}.*; name another by --local-directory`,
    ),
  )
  expect(run.stderr).not.toContain('cluster at')
  await cluster.expectNothingLeft()
})

test("--local-directory is no directory in which a stranger could put his own in the place of the workers'", async () => {
  await using cluster = await Cluster.make({ user })
  const shared = await makeShared(cluster.directory, 'shared', 'group')
  await shellAs(user, 'cd "$1"; umask 022; mkdir own; mkdir -m 1777 own/sticky', shared)
  await shellAs(stranger, 'mv "$1/own" "$1/away"; mv "$1/away" "$1/own"', shared)
  for (const name of ['.', 'own', 'own/sticky', 'new/deeper', 'own/new']) {
    const directory = join(shared, name)
    const run = cluster.run(['local', '-n', '1', '--python', python, '--local-directory', directory, '--', 'true'])
    await run.expectStatus(78)
    expect(run.stderr).toContain(
      `in "${directory}": the group ${commonGroup} may write "${shared}" (mode 2770), so that somebody else could put files ` +
        'of his own in the place of yours; take that permission away by chmod g-w, o-w or +t, or name a directory of yours by --local-directory\n',
    )
  }
  // Nothing was made there, what was missing neither.
  expect((await readdir(shared, { recursive: true })).toSorted()).toEqual(['own', 'own/sticky'])
  await cluster.expectNothingLeft()
})

test('what is missing of --local-directory is made for this user alone to write, whatever the umask is', async () => {
  await using cluster = await Cluster.make({ user })
  const directory = cluster.path('new/deeper')
  const run = cluster.command('local', '-n', '1', '--python', python, '--local-directory', directory, '--', 'true')
  const there = cluster.start(['/bin/sh', '-c', 'umask 002; exec "$@"', 'sh', ...run])
  await there.expectStatus(0)
  for (const path of [dirname(directory), directory]) expect((await stat(path)).mode & 0o777).toBe(0o755)
  expect(await readdir(directory)).toEqual([])
  cluster.expectFile('new')
  await cluster.expectNothingLeft()
})

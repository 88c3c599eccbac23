import { expect, it } from 'vitest'
import { Cluster, python } from '../support/cluster.ts'

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

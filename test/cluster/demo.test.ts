import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster } from '../support/cluster.ts'

test('the demo of the README shows what two real workers have computed', async () => {
  await using cluster = await Cluster.make()
  const root = resolve(import.meta.dirname, '../..')
  const run = cluster.start(['npm', '--prefix', root, 'run', 'demo'])
  await run.expectStatus(0)
  expect(run.stdout).toMatch(/^pi is about 3\.1\d+: .* on 2 workers\n {2}worker 2 .*\n {2}worker 3 .*\n$/m)
  await cluster.expectNothingLeft()
})

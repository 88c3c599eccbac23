import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster } from '../support/cluster.ts'

test('the demo of the README shows what two real workers have computed', async () => {
  await using cluster = await Cluster.make()
  const root = resolve(import.meta.dirname, '../..')
  const run = cluster.start(['npm', '--prefix', root, 'run', 'demo'])
  await run.expectStatus(0)
  expect(run.stdout).toMatch(/2 workers/)
  expect(run.stdout).toMatch(/3\.14/)
  await cluster.expectNothingLeft()
})

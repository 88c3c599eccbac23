import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { networkName } from '../../src/util/network.ts'
import type { Owner } from '../../src/record/cluster-record.ts'
import { fileOf, ownerOf } from '../rendezvous/file/support/run.ts'
import { Cluster } from '../support/cluster.ts'
import { fourTasks } from '../support/step.ts'

test('a rank 0 that is killed while it clears what another run has left tells of its end', async () => {
  await using cluster = await Cluster.make()
  const { other, isAsked } = await anotherRun()
  await mkdir(cluster.path('.F.json.run-other'), { mode: 0o700 })
  await writeFile(cluster.path('.F.json.run-other/coordinator.json'), JSON.stringify(fileOf(other).dask_hpc_runner))
  await killedWhen(isAsked, cluster)
  expect(await readdir(cluster.path('.F.json.run-sim-7.0-r0'))).toContain('exited-0.json')
})

test('a rank 0 that is killed while it holds the lock does not leave it', async () => {
  await using cluster = await Cluster.make()
  const { other, isAsked } = await anotherRun()
  await writeFile(cluster.path('F.json'), JSON.stringify(fileOf(other)))
  cluster.expectFile('F.json')
  expect(await killedWhen(isAsked, cluster)).toContain('.F.json.lock')
})

/** A run that is asked whether it lives and does not answer. */
async function anotherRun(): Promise<{ other: Owner; isAsked: Promise<unknown> }> {
  const asked = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => {
    asked.close()
  })
  await once(asked, 'listening')
  const { port } = asked.address() as AddressInfo
  const other = ownerOf('other', { control: { addresses: ['127.0.0.1'], port, network: await networkName() } })
  return { other, isAsked: once(asked, 'connection') }
}

/** Kills rank 0 of a run at that moment; gives the files that were there then. */
async function killedWhen(moment: Promise<unknown>, cluster: Cluster): Promise<string[]> {
  const [zero] = fourTasks()
  const run = cluster.run(['run', '--scheduler-file', 'F.json', '--', 'true'], zero)
  await moment
  const files = await readdir(cluster.work)
  run.signal('SIGKILL')
  await run.ended
  cluster.expectFile('.F.json.run-*')
  await cluster.expectNothingLeft()
  return files
}

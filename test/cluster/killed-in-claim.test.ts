import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { networkName } from '../../src/control/reach.ts'
import { killedNote } from '../../src/rendezvous/outcome.ts'
import { fileOf, ownerOf } from '../rendezvous/support/run.ts'
import { Cluster } from '../support/cluster.ts'
import { fourTasks } from '../support/step.ts'

test('a process 0 that is killed while it claims leaves no claim, and tells of its end', async () => {
  await using cluster = await Cluster.make()
  // It asks for the run of a directory that was left there, once the claim stands.
  const asked = createServer().listen(0, '127.0.0.1')
  await once(asked, 'listening')
  const { port } = asked.address() as AddressInfo
  const other = ownerOf('other', { control: { addresses: ['127.0.0.1'], port, network: await networkName() } })
  await mkdir(cluster.path('.F.json.run-other'))
  await writeFile(cluster.path('.F.json.run-other/record.json'), JSON.stringify(fileOf(other)))

  const [zero] = fourTasks()
  const run = cluster.run(['run', '--scheduler-file', 'F.json', '--', 'true'], zero)
  const [socket] = (await once(asked, 'connection')) as [Socket]
  expect(await readdir(cluster.work)).toContain('.F.json.owner')
  run.signal('SIGKILL')
  await run.ended
  socket.destroy()
  asked.close()
  cluster.expectFile('.F.json.run-*')
  await cluster.expectNothingLeft()
  expect(await readdir(cluster.path('.F.json.run-sim-7.0-r0'))).toContain(killedNote('node0'))
})

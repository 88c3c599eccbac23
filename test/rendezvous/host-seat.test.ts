import { createHash, randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { formatSchedulerFile } from '../../src/record/parse.ts'
import { type LookerSeat, type Seat, takeSeat } from '../../src/rendezvous/host-seat.ts'
import type { FileStore } from '../../src/rendezvous/file-store.ts'
import { publishFile } from '../../src/rendezvous/publish.ts'
import { temporaryDirectory } from './support/directory.ts'
import { buildProgram, start } from './support/programs.ts'
import { fileOf, ownerOf, storeOf } from './support/run.ts'

const never = new AbortController().signal

async function seated(directory: string): Promise<NonNullable<Seat>> {
  const seat = await takeSeat(directory)
  if (seat === undefined) throw new Error('there is no seat')
  onTestFinished(async () => {
    await seat.leave().catch(() => undefined)
  })
  return seat
}

function nameOf(directory: string): string {
  const digest = createHash('sha256').update(directory).digest('hex').slice(0, 24)
  return `\0dask-hpc-runner-${process.getuid?.()}-${digest}`
}

test('the first looks, the others are told what it finds', async () => {
  const run = randomUUID()
  const [first, second, third] = [await seated(run), await seated(run), await seated(run)]
  expect([first.kind, second.kind, third.kind]).toEqual(['looker', 'listener', 'listener'])
  if (first.kind !== 'looker' || second.kind !== 'listener' || third.kind !== 'listener') return
  expect(first.size).toBe(3)
  const told = Promise.all([second.told(never), third.told(never)])
  await first.tell('found')
  await first.leave()
  expect(await told).toEqual([{ text: 'found' }, { text: 'found' }])
})

test('who was told nothing takes the seat of the one that left', async () => {
  const run = randomUUID()
  const [first, second] = [await seated(run), await seated(run)]
  if (second.kind !== 'listener') throw new Error('two look')
  const told = second.told(never)
  await first.leave()
  expect(await told).toBe('left')
  expect((await seated(run)).kind).toBe('looker')
})

/** Puts a stranger that says so in a seat. */
async function strangerIn(name: string, says: string): Promise<void> {
  const stranger = createServer((socket) => socket.on('error', () => undefined).end(says))
  onTestFinished(() => void stranger.close())
  await new Promise<void>((resolve) => stranger.listen(name, resolve))
}

test.each(['1 0\n', 'hello\n', `${process.pid} 0\n`, 'x'.repeat(1_000_000)])(
  'a stranger in the seat is not believed, and each process looks for itself: %.20j',
  async (says) => {
    const run = randomUUID()
    await strangerIn(nameOf(run), says)
    expect(await Promise.all([takeSeat(run), takeSeat(run)])).toEqual([undefined, undefined])
  },
)

test('a stranger in the seat who says a byte now and then is left after a second', async () => {
  const run = randomUUID()
  const drip = createServer((socket) => {
    const byte = setInterval(() => socket.write('1'), 200)
    socket
      .on('error', () => undefined)
      .once('close', () => {
        clearInterval(byte)
      })
  })
  onTestFinished(() => void drip.close())
  await new Promise<void>((resolve) => drip.listen(nameOf(run), resolve))
  const began = performance.now()
  expect((await seated(run)).kind).toBe('looker')
  expect(performance.now() - began).toBeLessThan(10_000)
})

test('who comes later is told what has been told', async () => {
  const run = randomUUID()
  const looker = await seated(run)
  if (looker.kind !== 'looker') throw new Error('another looks')
  await looker.tell('found')
  const later = await seated(run)
  expect(later.kind === 'listener' && (await later.told(never))).toEqual({ text: 'found' })
})

test('where the one that looks is stopped, those that come meet elsewhere, unless their time is up', async () => {
  const run = randomUUID()
  const looker = start(await buildProgram('looker'), run)
  expect(await looker.nextLine()).toBe('looker')
  looker.child.kill('SIGSTOP')
  await expect(takeSeat(run, AbortSignal.timeout(100))).rejects.toThrow('aborted due to timeout')
  expect((await Promise.all([seated(run), seated(run)])).map(({ kind }) => kind).sort()).toEqual(['listener', 'looker'])
  looker.child.kill('SIGKILL')
})

test('a looker that is stopped is not waited for, one that is killed leaves its seat', async () => {
  const run = randomUUID()
  const looker = start(await buildProgram('looker'), run)
  expect(await looker.nextLine()).toBe('looker')
  const [first, second] = [await seated(run), await seated(run)]
  if (first.kind !== 'listener' || second.kind !== 'listener') throw new Error('nobody looks')
  looker.child.kill('SIGSTOP')
  expect(await first.told(never)).toBe('silent')
  looker.child.kill('SIGKILL')
  expect(await second.told(never)).not.toHaveProperty('text')
  expect((await seated(run)).kind).toBe('looker')
})

test('what one process of a host finds, all have found', async () => {
  const directory = temporaryDirectory()
  const stores = [0, 1, 2, 3].map((rank) => storeOf(join(directory, 's.json'), 'k', { me: { rank, node: 'node0' } }))
  for (const store of stores) await store.join()
  const looking = stores.map((store) => store.lookUp({ timeout: 10_000 }))
  await pause(1)
  const file = fileOf(ownerOf('k'))
  await publishFile(stores[0]?.paths.record ?? '', formatSchedulerFile(file))
  expect(await Promise.all(looking)).toEqual(Array(4).fill({ kind: 'cluster', file }))
})

/** Publishes for `runKey` while these look, and gives what each finds. */
async function foundBy(stores: readonly FileStore[], runKey: string, before = Promise.resolve()): Promise<unknown[]> {
  for (const store of stores) await store.join()
  const looking = Promise.all(stores.map(async (store) => store.lookUp({ timeout: 20_000 })))
  await before
  await publishFile(stores[0]?.paths.record ?? '', formatSchedulerFile(fileOf(ownerOf(runKey))))
  return await looking
}

test('who was told by a looker that is stopped looks by itself', async () => {
  const directory = temporaryDirectory()
  const store = storeOf(join(directory, 's.json'), 'k')
  const looker = start(await buildProgram('looker'), store.paths.runDirectory)
  expect(await looker.nextLine()).toBe('looker')
  looker.child.kill('SIGSTOP')
  const began = performance.now()
  expect(await foundBy([store], 'k')).toEqual([{ kind: 'cluster', file: fileOf(ownerOf('k')) }])
  // It has found that the other is silent, and has not waited for its end.
  expect(performance.now() - began).toBeGreaterThan(1_000)
  expect(looker.child.signalCode).toBeNull()
})

test('where nothing can be written to the directory for temporary files, each process looks by itself', async () => {
  const usual = process.env.TMPDIR
  onTestFinished(() => {
    if (usual === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = usual
  })
  const directory = temporaryDirectory()
  process.env.TMPDIR = join(directory, 'missing')
  expect(await takeSeat(randomUUID())).toBeUndefined()
  const stores = [0, 1].map((rank) => storeOf(join(directory, 's.json'), 'k', { me: { rank, node: 'node0' } }))
  expect(await foundBy(stores, 'k')).toEqual(Array(2).fill({ kind: 'cluster', file: fileOf(ownerOf('k')) }))
})

test('each of several runs of a host finds its own', async () => {
  const directory = temporaryDirectory()
  const found = ['k1', 'k2', 'k3'].map(async (key) => {
    const stores = [0, 1, 2].map((rank) => storeOf(join(directory, 's.json'), key, { me: { rank, node: 'node0' } }))
    expect(await foundBy(stores, key)).toEqual(Array(3).fill({ kind: 'cluster', file: fileOf(ownerOf(key)) }))
  })
  await Promise.all(found)
})

test('what a looker tells is found without a look', async () => {
  const directory = temporaryDirectory()
  const stores = [1, 2].map((rank) => storeOf(join(directory, 's.json'), 'k', { me: { rank, node: 'node0' } }))
  const found = { kind: 'cluster', file: fileOf(ownerOf('k')) }
  const seat = await seated(stores[0]?.paths.runDirectory ?? '')
  if (seat.kind !== 'looker') throw new Error('another looks')
  const looking = stores.map(async (store) => {
    await store.join()
    return await store.lookUp({ timeout: 20_000 })
  })
  await waitUntilSeated(seat, 3)
  await seat.tell(JSON.stringify(found))
  await seat.leave()
  expect(await Promise.all(looking)).toEqual([found, found])
})

test('who is told nothing until its time is up says so', async () => {
  const store = storeOf(join(temporaryDirectory(), 's.json'), 'k')
  await store.join()
  await seated(store.paths.runDirectory)
  await expect(store.lookUp({ timeout: 200.5 })).rejects.toThrow('Cannot find the cluster: waited')
})

test('what a looker tells of another run is not believed', async () => {
  const directory = temporaryDirectory()
  const store = storeOf(join(directory, 's.json'), 'k')
  const seat = await seated(store.paths.runDirectory)
  if (seat.kind !== 'looker') throw new Error('another looks')
  const told = async (): Promise<void> => {
    await waitUntilSeated(seat, 2)
    await seat.tell(JSON.stringify({ kind: 'cluster', file: fileOf(ownerOf('another')) }))
    await seat.leave()
  }
  await store.join()
  expect(await foundBy([store], 'k', told())).toEqual([{ kind: 'cluster', file: fileOf(ownerOf('k')) }])
})

/** Until so many are seated, the one that looks included. */
async function waitUntilSeated(seat: LookerSeat, count: number): Promise<void> {
  while (seat.size < count) await pause(5)
}

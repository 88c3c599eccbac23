import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { FileStore } from '../../../src/rendezvous/file/file-store.ts'
import { HostRelay, relayPath } from '../../../src/rendezvous/file/host-relay.ts'
import { publishFile } from '../../../src/rendezvous/file/publish.ts'
import { temporaryDirectory } from './support/directory.ts'
import { fileOf, ownerOf, storeOf } from './support/run.ts'
import {
  commonGroup,
  makePrivate,
  makeShared,
  shellAs,
  stranger,
  test as testOfTwo,
  user,
  withRightsOf,
} from '../../support/second-user.ts'
import type { DirectoryKeeper } from '../../../src/util/own-directory.ts'

const record = fileOf(ownerOf('k')).dask_hpc_runner
const found = { kind: 'coordinator', record }
const timeout = 30_000

interface Host {
  /** Where its processes meet. */
  readonly parent: string
  readonly schedulerFile: string
  readonly made: string[]
}

function host(): Host {
  const directory = temporaryDirectory()
  return { parent: directory, schedulerFile: join(directory, 's.json'), made: [] }
}

function keeperOf(made: string[]): DirectoryKeeper {
  return { expectDirectory: () => undefined, addDirectory: ({ path }) => void made.push(path) }
}

/** The process of a host that has this rank there; that of rank 0 is its relay. */
async function member({ parent, schedulerFile, made }: Host, localRank: number): Promise<FileStore> {
  const relay = { parent, isRelay: localRank === 0, reaper: keeperOf(made) }
  const store = storeOf(schedulerFile, 'k', { relay, me: { rank: localRank + 1, node: 'node0' } })
  await store.prepare()
  return store
}

async function publish({ paths }: FileStore): Promise<void> {
  await publishFile(paths.coordinator, JSON.stringify(record))
}

test('what the relay of a host finds, all have found, and those that come later', async () => {
  const here = host()
  const stores = [await member(here, 0), await member(here, 1), await member(here, 2)] as const
  const looking = stores.map(async (store) => store.lookUp({ timeout }))
  await publish(stores[0])
  expect(await Promise.all(looking)).toEqual([found, found, found])
  // Nothing is left on the shared filesystem for those that come later: they have it from their own.
  await rm(stores[0].paths.coordinator)
  expect(await (await member(here, 3)).lookUp({ timeout })).toEqual(found)
  // Whoever has made it removes it.
  expect(here.made).toHaveLength(1)
  expect((await readdir(here.made[0] ?? '')).sort()).toEqual(['alive', 'found.json'])
})

test('what rank 0 publishes, the others of its host are told', async () => {
  const here = host()
  const [zero, one] = [await member(here, 0), await member(here, 1)]
  const looking = one.lookUp({ timeout })
  await zero.announce(record, { publishes: false })
  expect(await looking).toEqual(found)
})

test('where the relay does not come, or is not heard any more, the others look by themselves', async () => {
  for (const comes of [false, true]) {
    const here = host()
    const one = await member(here, 1)
    const relay = comes ? await member(here, 0) : undefined
    const looking = one.lookUp({ timeout })
    await publish(one)
    await relay?.withdraw()
    await member(here, 1)
    await publish(one)
    expect(await looking).toEqual(found)
  }
})

test('what the relay tells of another run is not believed', async () => {
  const here = host()
  const one = await member(here, 1)
  await publish(one)
  const relay = await HostRelay.open(one.paths.runDirectory, 'node0', {
    ...here,
    isRelay: true,
    reaper: keeperOf([]),
  })
  await relay?.tell(JSON.stringify({ kind: 'coordinator', record: fileOf(ownerOf('another')).dask_hpc_runner }))
  expect(await one.lookUp({ timeout })).toEqual(found)
})

test.each<[string, (path: string) => Promise<unknown>]>([
  ['a file', async (path) => writeFile(path, '')],
  ['a link', async (path) => symlink('/', path)],
  ['a directory that others can enter', async (path) => mkdir(path, { mode: 0o755 })],
])('where %s stands in the place of its directory, each process looks by itself', async (_, put) => {
  const here = host()
  await put(relayPath(join(here.parent, '.s.json.run-k'), 'node0', here.parent))
  const one = await member(here, 1)
  expect(here.made).toEqual([])
  await publish(one)
  expect(await one.lookUp({ timeout })).toEqual(found)
})

testOfTwo.for([
  [
    'a directory that everybody can use',
    stranger,
    'mkdir -m 777 "$1"; cd "$1"; printf %s "$3" >found.json; chmod 644 found.json',
  ],
  ['a directory of his', stranger, 'mkdir -m 700 "$1"'],
  ["a link to a directory of the user's", stranger, 'ln -s "$2" "$1"'],
  ["the user's directory, in which he may write", user, `mkdir "$1"; chgrp ${commonGroup} "$1"; chmod 2770 "$1"`],
] as const)('what a stranger tells in the place of the relay is not believed: %s', async ([, maker, make]) => {
  const root = temporaryDirectory()
  await chmod(root, 0o755)
  const parent = await makeShared(root, 'shm', 'sticky')
  const home = await makePrivate(user, join(root, 'home'))
  const thesis = await makePrivate(user, join(home, 'thesis'))
  const evil = JSON.stringify({ kind: 'coordinator', record: { ...record, nonce: 'evil-evil-evil-evil' } })
  await withRightsOf(user, home, async () => {
    const here = { parent, schedulerFile: join(home, 's.json'), made: [] }
    const path = relayPath(join(home, '.s.json.run-k'), 'node0', parent)
    await shellAs(user, 'printf %s "$2" >"$1/found.json"', thesis, evil)
    await shellAs(maker, make, path, thesis, evil)
    if (maker === user) await shellAs(stranger, 'printf %s "$2" >"$1/found.json"', path, evil)
    const [relay, other] = [await member(here, 0), await member(here, 1)]
    const looking = [relay, other].map(async (store) => store.lookUp({ timeout }))
    await publish(other)
    expect(await Promise.all(looking)).toEqual([found, found])
    expect(here.made).toEqual([])
    expect(await readdir(thesis)).toEqual(['found.json'])
    expect(await readFile(join(thesis, 'found.json'), 'utf8')).toBe(evil)
  })
})

test('two nodes of a run that see one directory meet apart', () => {
  const [a, b] = ['node0', 'node1'].map((node) => relayPath('/run', node, '/dev/shm'))
  expect(a).not.toBe(b)
})

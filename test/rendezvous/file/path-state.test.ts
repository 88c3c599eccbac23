import { utimesSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { formatSchedulerFile } from '../../../src/record/parse.ts'
import { PathInUseError } from '../../../src/rendezvous/file/path-state.ts'
import type { FileStoreOptions } from '../../../src/rendezvous/file/file-store.ts'
import { temporaryDirectory } from './support/directory.ts'
import { fileOf, notes, ownerOf, storeOf } from './support/run.ts'

const me = fileOf(ownerOf('new'))
const other = ownerOf('old', { host: 'node9', pid: 99 })
const dead = fileOf(other, 'tcp://127.0.0.1:1')
/** Of a Dask that no run has started. */
const plain = (({ dask_hpc_runner: _, ...file }) => JSON.stringify(file))(dead)

/** What rank 0 of run "new" does before it starts a scheduler, and what it said meanwhile. */
async function announce(path: string, changes: Partial<FileStoreOptions> = {}): Promise<string[]> {
  const logger = notes()
  const store = storeOf(path, 'new', { logger, ...changes })
  await store.prepare()
  await store.announce(me.dask_hpc_runner, { publishes: true })
  return logger.lines
}

function schedulerFile(): string {
  return join(temporaryDirectory(), 's.json')
}

async function holding(path: string, text = formatSchedulerFile(dead)): Promise<string> {
  await writeFile(path, text)
  return path
}

test('at a free path no lock is taken, and the two files of a run are made', async () => {
  const path = schedulerFile()
  const locks: unknown[] = []
  const store = storeOf(path, 'new', { onLock: (lock) => locks.push(lock) })
  await store.prepare()
  await store.announce(me.dask_hpc_runner, { publishes: true })
  await store.publish(me)
  expect((await readdir(dirname(path))).toSorted()).toEqual(['.s.json.run-new', 's.json'])
  expect(await readdir(store.paths.runDirectory)).toEqual(['coordinator.json'])
  expect(locks).toEqual([])
})

test('a path that a living run uses is left alone, and the error names that run', async () => {
  const path = await holding(schedulerFile())
  const announcing = announce(path, { ask: () => Promise.resolve('alive') })
  await expect(announcing).rejects.toThrow(
    `Cannot publish "${path}": run old on host node9 (process id 99) is using it; end that run or name another scheduler file`,
  )
  await expect(announcing).rejects.toBeInstanceOf(PathInUseError)
  expect(await readFile(path, 'utf8')).toBe(formatSchedulerFile(dead))
})

test('the file of a run that is gone is removed with a notice', async () => {
  const path = await holding(schedulerFile())
  expect(await announce(path)).toEqual([`Replacing "${path}" of run old on host node9 (process id 99), which is gone`])
  expect(await readdir(dirname(path))).toEqual(['.s.json.run-new'])
})

test('the file of a run that cannot be reached is left alone, unless that run is known to be over', async () => {
  const path = await holding(schedulerFile())
  const ask = (): Promise<'unreachable'> => Promise.resolve('unreachable')
  await expect(announce(path, { ask, verifyScheduler: ask })).rejects.toThrow(
    'run old on host node9 (process id 99) holds it and cannot be reached; if that run is over, remove the file',
  )
  expect(await readFile(path, 'utf8')).toBe(formatSchedulerFile(dead))
  await rm(path.replace(/[^/]*$/, '.$&.run-new'), { recursive: true })
  const lines = await announce(path, { ask, verifyScheduler: ask, isOver: (key) => key === 'old' })
  expect(lines).toEqual([`Replacing "${path}" of run old on host node9 (process id 99), which is over`])
})

test('a file of a later version is left alone', async () => {
  const later = { ...dead, dask_hpc_runner: { ...dead.dask_hpc_runner, version: 2 } }
  const path = await holding(schedulerFile(), JSON.stringify(later))
  await expect(announce(path)).rejects.toThrow('a file that is not ours stands there')
})

test.each([
  ['', ', an empty file'],
  ['\n', ', an empty file'],
  [formatSchedulerFile(dead).slice(0, 60), ', an incomplete file'],
  [plain, ', whose scheduler at tcp://127.0.0.1:1 is gone'],
])('%j is replaced with a notice', async (text, notice) => {
  const path = await holding(schedulerFile(), text)
  expect(await announce(path)).toEqual([`Replacing "${path}"${notice}`])
  expect(await readdir(dirname(path))).not.toContain('s.json')
})

test.each([
  ['from distributed import Client\n', 'it is not JSON'],
  ['{"results": [1]}', 'it is JSON, but no Dask scheduler file'],
  ['{"results": [1', 'it is not JSON'],
])('%j is left alone', async (text, why) => {
  const path = await holding(schedulerFile(), text)
  await expect(announce(path)).rejects.toThrow(why)
  expect(await readFile(path, 'utf8')).toBe(text)
})

test.each([
  ['answers', 'answers at tcp://127.0.0.1:1; end that one or name another path'],
  ['silent', 'is busy or frozen, at tcp://127.0.0.1:1; end that one or name another path'],
  ['unreachable', 'cannot be reached at tcp://127.0.0.1:1; if that one is over, remove the file'],
] as const)('the file of a scheduler that %s is left alone, even if its run is gone', async (answer, message) => {
  const path = await holding(schedulerFile())
  await expect(announce(path, { verifyScheduler: () => Promise.resolve(answer) })).rejects.toThrow(message)
  expect(await readFile(path, 'utf8')).toBe(formatSchedulerFile(dead))
})

test('a directory in the place of the file is left alone', async () => {
  const path = schedulerFile()
  await mkdir(join(path, 'data'), { recursive: true })
  await expect(announce(path)).rejects.toThrow(
    'what stands there is left alone: it is a directory, not a regular file; name another path',
  )
  expect(await readdir(path)).toEqual(['data'])
})

test('a symbolic link in the place of the file is left alone', async () => {
  const path = schedulerFile()
  await symlink('elsewhere', path)
  await expect(announce(path)).rejects.toThrow(
    'what stands there is left alone: it is a symbolic link; name another path',
  )
})

test('a file that changes while it is judged is left alone', async () => {
  const path = await holding(schedulerFile())
  const verifyScheduler = async (): Promise<'refuses'> => {
    await writeFile(path, 'new')
    return 'refuses'
  }
  await expect(announce(path, { verifyScheduler })).rejects.toThrow('another program is writing it at this moment')
  expect(await readFile(path, 'utf8')).toBe('new')
})

test(
  'a lock is waited for: one that stays held is an error that names it, that of a killed holder is taken',
  {
    timeout: 60_000,
  },
  async () => {
    const [path, abandoned] = [await holding(schedulerFile()), await holding(schedulerFile())]
    const lock = join(dirname(path), '.s.json.lock')
    await mkdir(lock)
    await mkdir(join(dirname(abandoned), '.s.json.lock'))
    const fresh = setInterval(() => {
      utimesSync(lock, new Date(), new Date())
    }, 1_000)
    await Promise.all([
      expect(announce(path)).rejects.toThrow(
        `another process has held the lock "${lock}" for 18 s; if no run is starting there, remove it`,
      ),
      expect(announce(abandoned)).resolves.toHaveLength(1),
    ])
    clearInterval(fresh)
    expect(await readdir(dirname(path))).toContain('.s.json.lock')
    expect(await readdir(dirname(abandoned))).not.toContain('.s.json.lock')
  },
)

test('a lock that was left behind is taken, and left by nobody', async () => {
  const path = await holding(schedulerFile())
  const lock = join(dirname(path), '.s.json.lock')
  await mkdir(lock)
  const then = new Date(Date.now() - 60_000)
  await utimes(lock, then, then)
  expect(await announce(path)).toHaveLength(1)
  expect(await readdir(dirname(path))).not.toContain('.s.json.lock')
})

test('waiting for the lock ends with the signal', async () => {
  const path = await holding(schedulerFile())
  await mkdir(join(dirname(path), '.s.json.lock'))
  const store = storeOf(path, 'new')
  await store.prepare()
  const announcing = store.announce(me.dask_hpc_runner, { publishes: true, signal: AbortSignal.timeout(50) })
  await expect(announcing).rejects.toThrow('timeout')
})

test('where a run that is alive publishes meanwhile, the later one is told so when it publishes', async () => {
  const path = schedulerFile()
  const store = storeOf(path, 'new', { ask: () => Promise.resolve('alive') })
  await store.prepare()
  await store.announce(me.dask_hpc_runner, { publishes: true })
  await holding(path)
  await expect(store.publish(me)).rejects.toThrow('run old on host node9 (process id 99) is using it')
  await store.withdraw()
  expect(await readFile(path, 'utf8')).toBe(formatSchedulerFile(dead))
  await rm(path)
})

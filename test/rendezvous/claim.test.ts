import { utimesSync } from 'node:fs'
import { mkdir, readdir, readFile, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { defaults } from '../../src/defaults.ts'
import { formatSchedulerFile } from '../../src/record/parse.ts'
import { PathInUseError } from '../../src/rendezvous/claim.ts'
import type { FileStoreOptions } from '../../src/rendezvous/file-store.ts'
import { temporaryDirectory } from './support/directory.ts'
import { fileOf, notes, ownerOf, storeOf } from './support/run.ts'

const me = ownerOf('new')
const other = ownerOf('old', { host: 'node9', pid: 99 })
const dead = fileOf(other, 'tcp://127.0.0.1:1')

/** Claims a path for run "new", and tells what was said meanwhile. */
async function claim(path: string, changes: Partial<FileStoreOptions> = {}): Promise<string[]> {
  const logger = notes()
  const store = storeOf(path, 'new', { logger, ...changes })
  await store.join()
  await store.claim(me)
  expect(await claimOf(path)).toEqual(me)
  return logger.lines
}

async function claimOf(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path.replace(/[^/]*$/, '.$&.owner'), 'utf8'))
}

function schedulerFile(): string {
  return join(temporaryDirectory(), 's.json')
}

/** What stood there before, left by a run that claimed and published. */
async function leave(path: string, text = formatSchedulerFile(dead)): Promise<void> {
  await writeFile(path.replace(/[^/]*$/, '.$&.owner'), JSON.stringify(other))
  await writeFile(path, text)
}

test('a free path is claimed without a word, and no lock is left', async () => {
  const path = schedulerFile()
  expect(await claim(path)).toEqual([])
  expect((await readdir(dirname(path))).toSorted()).toEqual(['.s.json.owner', '.s.json.run-new'])
})

test('a claim of the same start is no obstacle', async () => {
  const path = schedulerFile()
  await claim(path)
  expect(await claim(path, { ask: () => Promise.reject(new Error('asked')) })).toEqual([])
})

test('a path that a living run holds is left alone, and the error names that run', async () => {
  const path = schedulerFile()
  await leave(path)
  const claiming = claim(path, { ask: () => Promise.resolve('alive') })
  await expect(claiming).rejects.toThrow(
    `Cannot publish "${path}": run old on host node9 (process 99) is using it; end that run or name another scheduler file`,
  )
  await expect(claiming).rejects.toBeInstanceOf(PathInUseError)
  expect(await claimOf(path)).toEqual(other)
  expect(await readFile(path, 'utf8')).toBe(formatSchedulerFile(dead))
})

test('a path of a run that is gone is taken over with a notice, and its file removed', async () => {
  const path = schedulerFile()
  await leave(path)
  expect(await claim(path)).toEqual([
    `Taking over "${path}" from run old on host node9 (process 99), which is gone`,
    `Replacing "${path}", whose scheduler at tcp://127.0.0.1:1 is gone`,
  ])
  expect(await readdir(dirname(path))).not.toContain('s.json')
})

test('a path of a run that cannot be reached is left alone', async () => {
  const path = schedulerFile()
  await leave(path)
  await expect(claim(path, { ask: () => Promise.resolve('unreachable') })).rejects.toThrow(
    'run old on host node9 (process 99) holds it and cannot be reached; if that run is over, remove',
  )
  expect(await claimOf(path)).toEqual(other)
})

test.each<[string, Partial<FileStoreOptions>, number]>([
  ['its claim is very old', {}, defaults.staleClaim + 60_000],
  ['it is known to be over', { isOver: (key) => key === 'old' }, 0],
])('a path of a run that cannot be reached is taken over where %s', async (_, changes, age) => {
  const path = schedulerFile()
  await leave(path)
  const then = new Date(Date.now() - age)
  await utimes(path.replace(/[^/]*$/, '.$&.owner'), then, then)
  const ask = (): Promise<'unreachable'> => Promise.resolve('unreachable')
  const lines = await claim(path, { ask, askScheduler: ask, ...changes })
  expect(lines[0]).toContain('which cannot be reached and is taken to be over')
  expect(await readdir(dirname(path))).not.toContain('s.json')
})

test('a claim that a crash cut off is replaced', async () => {
  const path = schedulerFile()
  await writeFile(join(dirname(path), '.s.json.owner'), JSON.stringify(other))
  await truncate(join(dirname(path), '.s.json.owner'), 20)
  expect(await claim(path)).toEqual([])
})

test('a claim of a later version is left alone', async () => {
  const path = schedulerFile()
  await writeFile(join(dirname(path), '.s.json.owner'), '{"version": 2}')
  await expect(claim(path)).rejects.toThrow('a run of a later version of this program holds it')
})

test.each([
  ['', 'an empty file'],
  ['\n', 'an empty file'],
  [formatSchedulerFile(dead).slice(0, 60), 'an incomplete file'],
  [formatSchedulerFile(dead), 'whose scheduler at tcp://127.0.0.1:1 is gone'],
])('%j, which nobody claims, is replaced with a notice', async (text, notice) => {
  const path = schedulerFile()
  await writeFile(path, text)
  expect(await claim(path)).toEqual([`Replacing "${path}", ${notice}`])
  expect(await readdir(dirname(path))).not.toContain('s.json')
})

test.each([
  ['from distributed import Client\n', 'it is not JSON'],
  ['{"results": [1]}', 'it is JSON, but no Dask scheduler file'],
  ['{"results": [1', 'it is not JSON'],
])('%j is left alone', async (text, why) => {
  const path = schedulerFile()
  await writeFile(path, text)
  await expect(claim(path)).rejects.toThrow(why)
  expect(await readFile(path, 'utf8')).toBe(text)
  expect(await readdir(dirname(path))).not.toContain('.s.json.owner')
})

test.each([
  ['answers', 'answers at tcp://127.0.0.1:1; end that one or name another path'],
  ['unreachable', 'cannot be reached at tcp://127.0.0.1:1; if that one is over, remove the file'],
] as const)('the file of a scheduler that %s is left alone, even if its run is gone', async (answer, message) => {
  const path = schedulerFile()
  await leave(path)
  await expect(claim(path, { askScheduler: () => Promise.resolve(answer) })).rejects.toThrow(message)
  expect(await readFile(path, 'utf8')).toBe(formatSchedulerFile(dead))
})

test('a directory in the place of the file is left alone', async () => {
  const path = schedulerFile()
  await mkdir(join(path, 'data'), { recursive: true })
  await expect(claim(path)).rejects.toThrow(
    'what stands there is left alone: it is a directory, not a regular file; name another path',
  )
  expect(await readdir(path)).toEqual(['data'])
})

test('a symbolic link in the place of the file is left alone', async () => {
  const path = schedulerFile()
  await symlink('elsewhere', path)
  await expect(claim(path)).rejects.toThrow('what stands there is left alone: it is a symbolic link; name another path')
})

test('a file that changes while it is judged is left alone', async () => {
  const path = schedulerFile()
  await leave(path)
  const askScheduler = async (): Promise<'refuses'> => {
    await writeFile(path, 'new')
    return 'refuses'
  }
  await expect(claim(path, { askScheduler })).rejects.toThrow('another program is writing it at this moment')
  expect(await readFile(path, 'utf8')).toBe('new')
})

test(
  'a lock is waited for: one that stays held is an error that names it, that of a killed holder is taken',
  {
    timeout: 60_000,
  },
  async () => {
    const [path, abandoned] = [schedulerFile(), schedulerFile()]
    const lock = join(dirname(path), '.s.json.lock')
    await mkdir(lock)
    await mkdir(join(dirname(abandoned), '.s.json.lock'))
    const fresh = setInterval(() => {
      utimesSync(lock, new Date(), new Date())
    }, 1_000)
    await Promise.all([
      expect(claim(path)).rejects.toThrow(
        `another process has held the lock "${lock}" for 18 s; if no run is starting there, remove it`,
      ),
      expect(claim(abandoned)).resolves.toEqual([]),
    ])
    clearInterval(fresh)
    expect(await readdir(dirname(path))).toContain('.s.json.lock')
    expect(await readdir(dirname(abandoned))).not.toContain('.s.json.lock')
  },
)

test('a lock that was left behind is taken', async () => {
  const path = schedulerFile()
  const lock = join(dirname(path), '.s.json.lock')
  await mkdir(lock)
  const then = new Date(Date.now() - 60_000)
  await utimes(lock, then, then)
  expect(await claim(path)).toEqual([])
  expect(await readdir(dirname(path))).not.toContain('.s.json.lock')
})

test('waiting for the lock ends with the signal', async () => {
  const path = schedulerFile()
  await mkdir(join(dirname(path), '.s.json.lock'))
  const claiming = storeOf(path, 'new').claim(me, { signal: AbortSignal.timeout(50) })
  await expect(claiming).rejects.toThrow('timeout')
})

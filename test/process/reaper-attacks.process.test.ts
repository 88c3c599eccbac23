import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished } from 'vitest'
import { fileOrder, endMarkerOrder } from '../../src/process/reaper-orders.ts'
import { makeShared, shellAs, stranger, test, user } from '../support/second-user.ts'
import { eventually } from './support/processes.ts'
import { orderToRemove, ReaperScript, seenDirectory } from './support/reaper-script.ts'

/** What the user would not lose. */
const precious = 'the work of a month'

/** A directory where both users can write, with the user's `results/data`. */
async function sharedDirectory(kind: 'sticky' | 'group'): Promise<string> {
  const parent = mkdtempSync(join(tmpdir(), 'reaper-attacks-'))
  chmodSync(parent, 0o755)
  onTestFinished(async () => {
    // Some of it belongs to others.
    await shellAs({ ...user, uid: 0, gid: 0 }, 'rm -rf -- "$1"', parent)
  })
  const shared = await makeShared(parent, kind, kind)
  await shellAs(user, 'umask 077; mkdir -- "$1" && printf %s "$2" >"$1/data"', join(shared, 'results'), precious)
  return shared
}

/** A program on PATH that waits before it does its work, so that something can be done at this moment. */
function waitingProgram(name: string): {
  readonly path: string
  readonly begun: () => boolean
  readonly go: () => void
} {
  const bin = mkdtempSync(join(tmpdir(), 'reaper-attacks-bin-'))
  onTestFinished(async () => {
    await shellAs({ ...user, uid: 0, gid: 0 }, 'rm -rf -- "$1"', bin)
  })
  const [begun, go] = [join(bin, 'begun'), join(bin, 'go')]
  const script = `#!/bin/sh\n: >'${begun}'\nwhile [ ! -e '${go}' ]; do sleep 0.01; done\nPATH=\${PATH#*:}\nexec ${name} "$@"\n`
  writeFileSync(join(bin, name), script, { mode: 0o755 })
  chownSync(bin, user.uid, user.gid)
  chmodSync(bin, 0o755)
  return {
    path: `${bin}:${process.env.PATH ?? ''}`,
    begun: () => existsSync(begun),
    go: () => {
      writeFileSync(go, '')
    },
  }
}

describe('beside a stranger who can write where the directory is, the reaper', () => {
  const names = ['dask-hpc-runner-1', '.F.run-1'] as const

  test.for(names)("removes nothing where the user's other directory was put in the place of %s", async (name) => {
    const shared = await sharedDirectory('group')
    const [own, results] = [join(shared, name), join(shared, 'results')]
    await shellAs(user, 'umask 077; mkdir -- "$1"', own)
    const reaper = new ReaperScript({ as: user })
    reaper.tell(orderToRemove(own))
    await shellAs(stranger, 'mv -- "$1" "$1.away" && mv -- "$2" "$1"', own, results)
    await reaper.supervisorEnds()
    expect(readFileSync(join(own, 'data'), 'utf8')).toBe(precious)
  })

  test.for([
    ["the user's other directory", 'mv -- "$2" "$1"'],
    ['a link to it', 'ln -s -- "$2" "$1"'],
  ] as const)('removes what it has examined, and nothing of %s, put in its place meanwhile', async ([, swap]) => {
    const shared = await sharedDirectory('group')
    const [own, results] = [join(shared, 'dask-hpc-runner-1'), join(shared, 'results')]
    await shellAs(user, 'umask 077; mkdir -p -- "$1/space" && printf x >"$1/space/data"', own)
    const find = waitingProgram('find')
    const reaper = new ReaperScript({ as: user, path: find.path })
    reaper.tell(orderToRemove(own))
    const ended = reaper.supervisorEnds()
    await eventually(find.begun, true, 'it is about to remove')
    await shellAs(stranger, `mv -- "$1" "$1.away"; ${swap}`, own, results)
    find.go()
    await ended
    const kept = swap.startsWith('mv') ? own : results
    expect(readFileSync(join(kept, 'data'), 'utf8')).toBe(precious)
    expect(await shellAs(user, 'find "$1.away"', own)).toBe(`${own}.away\n`)
  })

  test('removes nothing through a link in the place of a directory above', async () => {
    const shared = await sharedDirectory('group')
    const own = join(shared, 'sub/dask-hpc-runner-1')
    await shellAs(user, 'umask 007; mkdir -- "$1" && mkdir -m 700 -- "$2"', join(shared, 'sub'), own)
    const other = join(shared, 'results/dask-hpc-runner-1')
    await shellAs(user, 'umask 077; mkdir -- "$1" && printf %s "$2" >"$1/data"', other, precious)
    const reaper = new ReaperScript({ as: user })
    reaper.tell(orderToRemove(own))
    await shellAs(stranger, 'cd -- "$1" && mv sub away && ln -s results sub', shared)
    await reaper.supervisorEnds()
    expect(readFileSync(join(other, 'data'), 'utf8')).toBe(precious)
  })

  test.for(['sticky', 'group'] as const)(
    'leaves no end marker in a %s directory that the stranger has made',
    async (kind) => {
      const shared = await sharedDirectory(kind)
      const [run, target] = [join(shared, '.F.run-1'), join(shared, 'notes')]
      // The stranger knows the name, and has no right to the target.
      await shellAs(user, 'umask 077; printf %s "$2" >"$1"', target, precious)
      await shellAs(stranger, 'mkdir -m 777 -- "$1" && ln -s -- "$2" "$1/exited-0.json"', run, target)
      for (const name of ['exited-0.json', 'exited-1.json']) {
        const reaper = new ReaperScript({ as: user })
        reaper.tell(endMarkerOrder({ directory: seenDirectory(run), name }))
        await reaper.supervisorEnds()
      }
      expect(readFileSync(target, 'utf8')).toBe(precious)
      expect(readdirSync(run)).toEqual(['exited-0.json'])
    },
  )

  test('removes no link in the place of a file, and waits for no named pipe there', async () => {
    const shared = await sharedDirectory('group')
    const [link, pipe, file, target] = ['link', 'pipe', 'file', 'target'].map((name) => join(shared, name)) as [
      string,
      string,
      string,
      string,
    ]
    await shellAs(user, 'printf 0123-the-nonce-of-it >"$1"; printf 0123-the-nonce-of-it >"$2"', file, target)
    await shellAs(stranger, 'ln -s -- "$1" "$2"; mkfifo -m 666 -- "$3"', target, link, pipe)
    const reaper = new ReaperScript({ as: user })
    reaper.tell(...[pipe, link, file].map((path) => fileOrder(path, '0123-the-nonce-of-it')))
    await reaper.supervisorEnds()
    expect([link, pipe, file, target].map((path) => existsSync(path))).toEqual([true, true, false, true])
  })
})

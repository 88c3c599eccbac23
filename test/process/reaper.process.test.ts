import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'esbuild'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Reaper } from '../../src/process/reaper.ts'
import { makeOwnDirectory } from '../../src/util/own-directory.ts'
import { canHang, HangingMount } from '../support/hanging-mount.ts'
import {
  eventually,
  isAlive,
  kill,
  leadsSession,
  newReaper,
  processesOf,
  processesWith,
  shellsOf,
  stubborn,
  temporaryDirectory,
} from './support/processes.ts'

/** The shell of a reaper that has just been started: for a moment its command line is empty. */
async function standing(reaper: Reaper): Promise<readonly number[]> {
  await eventually(() => shellsOf(reaper).length, 1, 'its shell is there')
  return shellsOf(reaper)
}

async function bundleSupervisor(): Promise<string> {
  const outfile = join(temporaryDirectory(), 'supervisor.mjs')
  const entryPoints = [join(import.meta.dirname, 'fixtures/supervisor.ts')]
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', loader: { '.sh': 'text' } })
  return outfile
}

describe('Reaper', () => {
  it('kills the groups and removes the files at its close, and is gone itself', async () => {
    const reaper = newReaper()
    const directory = temporaryDirectory()
    const file = join(directory, 'file')
    writeFileSync(file, '0123456789-abcdef is our word')
    const own = await makeOwnDirectory(join(directory, 'dask-hpc-runner-a'), reaper)
    const [left, ended] = [await stubborn(), await stubborn()]
    reaper.addGroup(left)
    reaper.addGroup(ended)
    reaper.removeGroup(ended)
    reaper.addFile(file, '0123456789-abcdef')
    expect(await standing(reaper)).toHaveLength(1)

    await reaper.close()
    expect(processesOf(reaper)).toEqual([])
    await eventually(() => [left, ended].map(isAlive), [false, true], 'only the group that was left is killed')
    expect([existsSync(file), existsSync(own.path)]).toEqual([false, false])
  })

  it.skipIf(!canHang)('does all that though the first directory of PATH hangs', async () => {
    const directory = temporaryDirectory()
    await using mount = await HangingMount.of(join(directory, 'source'), join(directory, 'mounted'))
    vi.stubEnv('PATH', `${join(directory, 'mounted')}:${process.env.PATH ?? ''}`)
    const reaper = newReaper()
    const own = await makeOwnDirectory(join(directory, 'dask-hpc-runner-a'), reaper)
    vi.unstubAllEnvs()
    mount.hang()
    await reaper.close()
    expect(processesOf(reaper)).toEqual([])
    expect(existsSync(own.path)).toBe(false)
  })

  it('removes the lock that is held at its close, and none that is not, nor what is no lock', async () => {
    const directory = temporaryDirectory()
    const [held, released, full] = ['held', 'released', 'full'].map((name) => join(directory, `.${name}.lock`))
    for (const lock of [held, released, full]) mkdirSync(lock ?? '')
    writeFileSync(join(full ?? '', 'file'), '')
    const locked = async (...locks: (string | undefined)[]): Promise<void> => {
      const reaper = newReaper()
      for (const lock of locks) reaper.setLock(lock)
      await reaper.close()
    }
    await Promise.all([locked(held), locked(released, undefined), locked(full)])
    expect([held, released, full].map((lock) => existsSync(lock ?? ''))).toEqual([false, true, true])
  })

  it('may be closed twice, and when it never had anything to end', async () => {
    const reaper = newReaper()
    reaper.addGroup(await stubborn())
    await Promise.all([reaper.close(), reaper.close()])
    await reaper.close()
    reaper.addGroup(1)
    expect(shellsOf(reaper)).toEqual([])

    const idle = newReaper()
    await idle.close()
    expect(shellsOf(idle)).toEqual([])
  })

  it('kills a marked process that left its group, and spares those of another reaper', async () => {
    const [ours, theirs] = [newReaper(), newReaper()]
    const [mine, other] = [await stubborn(ours.environment), await stubborn(theirs.environment)]
    ours.addFile(join(temporaryDirectory(), 'none'), 'word')
    await ours.close()
    await eventually(() => [mine, other].map(isAlive), [false, true], 'only what is marked is killed')
  })

  it('is started again when it is killed, and still knows everything', async () => {
    const reaper = newReaper()
    const directory = await makeOwnDirectory(join(temporaryDirectory(), 'dask-hpc-runner-a'), reaper)
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, '0123456789-abcdef')
    const [left, ended] = [await stubborn(), await stubborn()]
    for (const group of [left, ended]) reaper.addGroup(group)
    reaper.removeGroup(ended)
    reaper.addFile(file, '0123456789-abcdef')
    const [first] = await standing(reaper)
    kill(first)
    await eventually(() => shellsOf(reaper).some((pid) => pid !== first), true, 'another reaper stands')
    await reaper.close()
    await eventually(() => [left, ended].map(isAlive), [false, true], 'the group that was left is killed')
    expect([existsSync(directory.path), existsSync(file)]).toEqual([false, false])
    await eventually(() => processesOf(reaper), [], 'no part of either reaper is left')
  })

  it('tells of a signal that reached it, and goes on', async () => {
    const reaper = newReaper()
    const seen = vi.fn()
    reaper.onSignal(seen)
    reaper.addFile(join(temporaryDirectory(), 'none'), 'word')
    const [shell = -1] = await standing(reaper)
    // Until its traps stand a signal ends it; USR2 is the last of them.
    const caught = (): string => /^SigCgt:\s*(\w+)$/m.exec(readFileSync(`/proc/${shell}/status`, 'utf8'))?.[1] ?? '0'
    await eventually(() => (BigInt(`0x${caught()}`) & (1n << 11n)) !== 0n, true, 'the traps stand')
    kill(shell, 'SIGTERM')
    await eventually(() => seen.mock.calls, [['SIGTERM']], 'TERM is told')
    kill(shell, 'SIGUSR1')
    await eventually(() => seen.mock.calls, [['SIGTERM'], ['SIGUSR1']], 'USR1 is told')
    expect(shellsOf(reaper)).toEqual([shell])
  })

  it.each([
    ['is killed', 'SIGKILL', false],
    // Another may have the lock by then.
    ['stays stopped', 'SIGSTOP', true],
  ] as const)(
    'leaves nothing of a supervisor that %s: no child, no descendant, no directory, no reaper',
    async (_, signal, lock) => {
      const parent = temporaryDirectory()
      const [directory, heldLock] = [join(parent, 'dask-hpc-runner-a'), join(parent, '.a.lock')]
      mkdirSync(heldLock)
      const outfile = await bundleSupervisor()
      const time = `300.${Math.floor(Math.random() * 1e9)}`
      // A child that ignores TERM, one in its group, and one that left it.
      const command = `trap "" HUP TERM; sleep ${time} & setsid sleep ${time} & while :; do sleep 300; done`
      const supervisor = spawn(process.execPath, [outfile, directory, heldLock, '/bin/sh', '-c', command], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      onTestFinished(() => {
        kill(supervisor.pid)
        for (const pid of processesWith(`sleep\0${time}`, 'cmdline')) kill(pid)
      })
      const [line] = (await once(supervisor.stdout, 'data')) as [Buffer]
      const { child, mark } = JSON.parse(line.toString()) as { child: number; mark: string }
      await eventually(() => processesWith(`sleep\0${time}`, 'cmdline').length, 2, 'the descendants run')
      expect(processesWith(mark, 'cmdline').filter(leadsSession)).toHaveLength(1)

      kill(supervisor.pid, signal)
      await eventually(
        () => ({
          child: isAlive(child),
          descendants: processesWith(`sleep\0${time}`, 'cmdline'),
          marked: processesWith(mark, 'environ'),
          reapers: processesWith(mark, 'cmdline'),
          directory: existsSync(directory),
          lock: existsSync(heldLock),
        }),
        { child: false, descendants: [], marked: [], reapers: [], directory: false, lock },
        'nothing is left',
      )
    },
  )

  it('spares a supervisor that is stopped for a moment', async () => {
    const outfile = await bundleSupervisor()
    const supervisor = spawn(
      process.execPath,
      [outfile, join(temporaryDirectory(), 'dask-hpc-runner-a'), '/none', 'sleep', '300'],
      { stdio: 'pipe' },
    )
    onTestFinished(() => {
      kill(supervisor.pid)
    })
    await once(supervisor.stdout, 'data')
    // Three times 400 ms are more than its limit of 800 ms.
    for (let i = 0; i < 3; i++) {
      kill(supervisor.pid, 'SIGSTOP')
      await sleep(400)
      kill(supervisor.pid, 'SIGCONT')
      await sleep(300)
    }
    expect(isAlive(supervisor.pid ?? 0)).toBe(true)
  })

  it('gives each reaper a mark of its own', () => {
    const [one, other] = [new Reaper(), new Reaper()]
    expect(one.environment).not.toEqual(other.environment)
  })
})

// Dask reads each variable DASK_… as a Python expression.
it('marks what it ends by a word that is a name in Python', () => {
  const [mark, other] = [new Reaper(), new Reaper()].map(({ environment }) => Object.values(environment)[0])
  expect(mark).toMatch(/^[a-z]\w{10,}$/)
  expect(mark).not.toBe(other)
})

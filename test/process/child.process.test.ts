import { once } from 'node:events'
import { chmodSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Child, type ChildOptions } from '../../src/process/child.ts'
import { formatExit } from '../../src/process/exit.ts'
import { OutOfMemoryWatch } from '../../src/process/out-of-memory.ts'
import { eventually, isAlive, kill, newReaper, processesWith, temporaryDirectory } from './support/processes.ts'

type Options = Partial<Omit<ChildOptions, 'command' | 'reaper'>>

/** A child that is killed at the latest when the test ends, and the lines that it prints. */
function start(command: readonly [string, ...string[]], options: Options = {}) {
  const lines: string[] = []
  const reaper = newReaper()
  const child = new Child({
    env: process.env,
    output: (more, stream) => void lines.push(...more.map((line) => `${stream}: ${line}`)),
    ...options,
    command,
    reaper,
  })
  onTestFinished(async () => {
    child.kill()
    await child.exited
  })
  return { child, lines, reaper }
}

const shell = (script: string, options: Options = {}) => start(['/bin/sh', '-c', script], options)

/** A made-up control group of version 2 with a limit of 2 MiB, what watches it, and a script that counts a kill in it. */
async function madeUpGroup() {
  const group = temporaryDirectory()
  writeFileSync(join(group, 'memory.max'), '2097152\n')
  writeFileSync(join(group, 'memory.events'), 'oom 0\noom_kill 0\n')
  const proc: Readonly<Record<string, string>> = {
    '/proc/self/mountinfo': `31 23 0:28 / ${group} rw shared:4 - cgroup2 cgroup2 rw\n`,
    '/proc/self/cgroup': '0::/\n',
  }
  const memory = new OutOfMemoryWatch(
    async (path) => proc[path] ?? (await readFile(path, 'utf8').catch(() => undefined)),
  )
  // What has been counted so far is known from now on.
  memory.add()
  onTestFinished(() => {
    memory.remove()
  })
  await memory.find()
  return { group, memory, killed: `printf 'oom 1\\noom_kill 1\\n' >'${group}/memory.events'` }
}

describe('Child', () => {
  it('tells how the program ended', async () => {
    expect(await shell('exit 3').child.exited).toEqual({ status: 3, signal: null, forced: false })
    expect(await shell('kill -TERM $$').child.exited).toEqual({ status: null, signal: 'SIGTERM', forced: false })
  })

  it('tells that the kernel killed it because memory had run out, and by which limit', async () => {
    const { group, memory, killed } = await madeUpGroup()
    const exit = await shell(`${killed}; kill -KILL $$`, { memory }).child.exited
    expect(formatExit(exit)).toBe(
      `was killed by SIGKILL: the kernel killed it because its control group had used all memory that it may have: 2 MiB (${group}/memory.max)`,
    )
  })

  it('tells so of a child of its own whose status it passes on', async () => {
    const { memory, killed } = await madeUpGroup()
    const passing = start(['/bin/sh', '-c', 'sh -c "$0"; exit $?', `${killed}; kill -KILL $$`], { memory })
    expect(formatExit(await passing.child.exited)).toMatch(
      /^exited with status 137: the kernel killed a process that it had started because its control group /,
    )
  })

  it('tells nothing of memory where somebody else killed it, or where it ends in another way', async () => {
    const { memory, killed } = await madeUpGroup()
    expect(formatExit(await shell('kill -KILL $$', { memory }).child.exited)).toBe('was killed by SIGKILL')
    expect(formatExit(await shell(`${killed}; exit 3`, { memory }).child.exited)).toBe('exited with status 3')
  })

  it('has given every line by then, of both streams', async () => {
    const { child, lines } = shell('echo one; echo two >&2; printf three')
    await child.exited
    expect(lines.toSorted()).toEqual(['stderr: two', 'stdout: one', 'stdout: three'])
  })

  it('keeps the last lines only', async () => {
    const { child, lines } = shell('i=0; while [ $i -lt 1000 ]; do echo $i; i=$((i+1)); done')
    await child.exited
    expect(lines).toHaveLength(1000)
    expect(child.tail).toEqual(Array.from({ length: 20 }, (_, i) => String(980 + i)))
  })

  it('leads a process group, is marked by the reaper, and reads nothing', async () => {
    const { child, lines, reaper } = shell('cat; read -r _ _ _ _ group _ < /proc/$$/stat; echo $group; env')
    await child.exited
    expect(lines[0]).toBe(`stdout: ${child.pid ?? ''}`)
    const [[name, mark] = []] = Object.entries(reaper.environment)
    // In containers within it, too.
    for (const prefix of ['', 'APPTAINERENV_', 'SINGULARITYENV_'])
      expect(lines).toContain(`stdout: ${prefix}${String(name)}=${String(mark)}`)
  })

  it('is known to the reaper while it runs, and no longer', async () => {
    const reaper = newReaper()
    const [add, remove] = [vi.spyOn(reaper, 'addGroup'), vi.spyOn(reaper, 'removeGroup')]
    const child = new Child({ command: ['cat'], env: process.env, reaper, output: () => undefined, stdin: 'pipe' })
    expect(add.mock.calls).toEqual([[child.pid, 'at once']])
    expect(remove).not.toHaveBeenCalled()
    child.stdin?.end()
    await child.exited
    expect(remove.mock.calls).toEqual([[child.pid]])
  })

  it('is asked to end, and killed only when it has not after the grace', async () => {
    const obeys = shell('trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done')
    await eventually(() => obeys.lines, ['stdout: ready'], 'it is ready')
    const ended = await obeys.child.end(() => obeys.child.signal('SIGTERM', 'child'), 30_000)
    expect(ended).toEqual({ status: 5, signal: null, forced: false })

    const refuses = shell('trap "" TERM; echo ready; while :; do sleep 300; done')
    await eventually(() => refuses.lines, ['stdout: ready'], 'it is ready')
    const begin = performance.now()
    const killed = await refuses.child.end(() => refuses.child.signal('SIGTERM', 'child'), 300)
    expect(killed).toEqual({ status: null, signal: 'SIGKILL', forced: true })
    expect(performance.now() - begin).toBeGreaterThan(250)
  })

  it('signals the child alone or its whole group', async () => {
    const script = `sh -c 'trap "echo inner" USR1; echo ready; while :; do sleep 0.05; done' & trap "echo outer" USR1; echo ready; while :; do sleep 0.05; done`
    const lines: string[] = []
    // On standard error the shells tell that their `sleep` of the moment, which is of the group too, was signalled.
    const { child } = shell(script, {
      output: (more, stream) => void lines.push(...(stream === 'stdout' ? more : [])),
    })
    await eventually(() => lines.length, 2, 'both are ready')
    child.signal('SIGUSR1', 'child')
    await eventually(() => lines.slice(2), ['outer'], 'the child alone is told')
    child.signal('SIGUSR1', 'group')
    await eventually(() => lines.slice(3).toSorted(), ['inner', 'outer'], 'both are told')
  })

  it('takes what is left of its group along, and does not wait for output that others hold open', async () => {
    const time = `300.${Math.floor(Math.random() * 1e9)}`
    const sleepers = () => processesWith(`sleep\0${time}`, 'cmdline')
    onTestFinished(() => {
      for (const pid of sleepers()) kill(pid)
    })
    // Prints once both have become what they are going to be.
    const both = `while [ "$(pgrep -fc "^sleep ${time}")" != 2 ]; do sleep 0.02; done`
    const { child } = shell(`sleep ${time} & setsid sleep ${time} & ${both}; exit 4`)
    expect(await child.exited).toEqual({ status: 4, signal: null, forced: false })
    // The one that left the group is the reaper's.
    await eventually(() => sleepers().length, 1, 'the descendant in the group is killed')
  })

  it.each([
    ['is not found', '/no/such/program', 127],
    ['is not found on PATH', 'no-such-program-anywhere', 127],
    ['may not be executed', '/etc/passwd', 126],
    ['lies below a file', '/etc/passwd/program', 126],
  ])('exits as in a shell when the program %s', async (_, program, status) => {
    const { child } = start([program], { output: 'inherit', stdin: 'ignore' })
    expect(await child.exited).toEqual({ status, signal: null, forced: false })
    expect(child.pid).toBeUndefined()
    expect(child.tail[0]).toContain(program)
    child.signal('SIGTERM', 'group')
    child.kill()
    child.unref()
  })

  it('exits as in a shell when a shielded program is not there or may not be executed', async () => {
    const file = join(temporaryDirectory(), 'text')
    writeFileSync(file, 'words')
    chmodSync(file, 0o644)
    expect(await start(['/no/such/program'], { shielded: true }).child.exited).toMatchObject({ status: 127 })
    expect(await start([file], { shielded: true }).child.exited).toMatchObject({ status: 126 })
  })

  it('exits 126 when the arguments are too long to start it', async () => {
    const { child } = start(['/bin/true', 'x'.repeat(4_000_000)])
    expect(await child.exited).toMatchObject({ status: 126 })
    expect(child.tail[0]).toContain('E2BIG')
  })

  it('has a two-way pipe on descriptor 3 where asked for, which ends with us', async () => {
    const { child } = shell('read -r order <&3; echo "got $order" >&3; cat <&3 >/dev/null; exit 6', { pipe: true })
    child.pipe?.write('an order\n')
    const [answer] = (await once(child.pipe as NonNullable<Child['pipe']>, 'data')) as [Buffer]
    expect(answer.toString()).toBe('got an order\n')
    child.pipe?.destroy()
    expect(await child.exited).toMatchObject({ status: 6 })
    expect(shell('true').child.pipe).toBeUndefined()
  })

  it('ignores signals while shielded, until the program handles them', async () => {
    const signals = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const
    const program = `
import signal, sys
print("ready", flush=True)
sys.stdin.readline()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("handles", flush=True)
signal.pause()`
    const { child, lines } = start(['python3', '-c', program], { shielded: true, stdin: 'pipe' })
    // The shield is up before the first line of the program runs.
    await eventually(() => lines, ['stdout: ready'], 'it runs')
    for (const name of signals) child.signal(name, 'group')
    child.stdin?.write('\n')
    await eventually(() => lines.at(-1), 'stdout: handles', 'it has survived all of them')
    child.signal('SIGTERM', 'group')
    expect(await child.exited).toMatchObject({ status: 7 })
  })

  it('gives an inheriting program our own streams, untouched', async () => {
    const at = join(temporaryDirectory(), 'streams')
    // Standard output is kept as descriptor 4 while the names are written to a file.
    const { child } = shell(`exec 4>&1; for fd in 0 4 2; do readlink /proc/$$/fd/$fd; done > '${at}'`, {
      output: 'inherit',
    })
    await child.exited
    const seen = readFileSync(at, 'utf8').trim().split('\n')
    expect(seen).toEqual([0, 1, 2].map((fd) => readlinkSync(`/proc/self/fd/${fd}`)))
    expect(child.tail).toEqual([])
  })

  it('is killed at once where that is asked for', async () => {
    const { child } = shell('while :; do sleep 300; done')
    child.kill()
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL', forced: true })
    expect(isAlive(child.pid ?? -1)).toBe(false)
  })
})

import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it, onTestFinished } from 'vitest'
import script from '../../src/process/reaper.sh'
import {
  eventually,
  isAlive,
  kill,
  processesWith,
  startGroup,
  stubborn,
  temporaryDirectory,
} from './support/processes.ts'

/** What /bin/sh is on one system or another. */
const shells: readonly Shell[] = [
  { name: '/bin/sh', program: '/bin/sh' },
  { name: 'bash as sh', program: 'bash', argv0: 'sh' },
  { name: 'dash', program: 'dash' },
  { name: 'busybox sh', program: 'busybox', args: ['sh'] },
  { name: 'ksh', program: 'ksh' },
]

interface Shell {
  readonly name: string
  readonly program: string
  readonly args?: readonly string[]
  readonly argv0?: string
}

const onPath = (name: string): boolean =>
  existsSync(name) || (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, name)))
const signals = ['HUP', 'INT', 'TERM', 'USR1', 'USR2'] as const

/** The reaper's script at work: its standard input closes as it would if the supervisor were killed. */
class Script {
  readonly mark = `REAPER_TEST=${randomUUID()}`
  readonly child: ChildProcess & { readonly pid: number }
  readonly #signals: AsyncIterator<string, undefined>

  constructor({ program, args = [], argv0 = program }: Shell, path = process.env.PATH) {
    const child = spawn(program, [...args, '-c', script, 'reaper', this.mark, '2.5'], {
      argv0,
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: path },
    })
    onTestFinished(() => {
      if (child.pid !== undefined) kill(-child.pid)
    })
    this.child = child as ChildProcess & { pid: number }
    this.#signals = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  get env(): Record<string, string> {
    return { REAPER_TEST: this.mark.slice('REAPER_TEST='.length) }
  }

  tell(...lines: string[]): void {
    for (const line of lines) this.child.stdin?.write(`${line}\n`)
  }

  /** Sends it a signal and gives the name that it reports. */
  async reportOf(name: (typeof signals)[number]): Promise<string | undefined> {
    process.kill(this.child.pid, `SIG${name}`)
    return (await this.#signals.next()).value
  }

  /** Waits until it has read what it was told: it answers no signal before its traps stand. */
  async ready(): Promise<void> {
    // Before that, the signal could end it.
    await eventually(() => caughtSignals(this.child.pid) > 0n, true, 'the traps stand')
  }

  async supervisorEnds(): Promise<void> {
    const exited = once(this.child, 'exit')
    this.child.stdin?.end()
    await exited
  }
}

function caughtSignals(pid: number): bigint {
  const status = processStatus(pid)
  // USR2 is the last that the script traps.
  return BigInt(`0x${/^SigCgt:\s*(\w+)$/m.exec(status)?.[1] ?? '0'}`) & (1n << 11n)
}

function processStatus(pid: number): string {
  return existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : ''
}

describe.each(shells.filter(({ program }) => onPath(program)))('the reaper under $name', (shell) => {
  it('kills the groups that are left, whatever signals they ignore, and spares those that were taken back', async () => {
    const reaper = new Script(shell)
    const groups = [await stubborn(), await stubborn(), await stubborn(), await stubborn()]
    const [first = 0, second = 0, third = 0, stranger = 0] = groups
    reaper.tell(`+ ${first}`, `+ ${second}`, `+ ${third}`, `- ${second}`)
    await reaper.supervisorEnds()
    await eventually(() => groups.map(isAlive), [false, true, false, true], 'first and third are killed')
    expect([isAlive(second), isAlive(stranger)]).toEqual([true, true])
  })

  it('kills every process of a group', async () => {
    const reaper = new Script(shell)
    const mark = `300.${Math.floor(Math.random() * 1e9)}`
    const leader = startGroup(['/bin/sh', '-c', `sleep ${mark} & sleep ${mark} & wait`])
    await eventually(() => processesWith(`sleep\0${mark}`, 'cmdline').length, 2, 'the group is complete')
    reaper.tell(`+ ${leader.pid}`)
    await reaper.supervisorEnds()
    await eventually(() => processesWith(`sleep\0${mark}`, 'cmdline'), [], 'the whole group is killed')
  })

  it('kills what carries the mark in another session, and spares what carries another mark', async () => {
    const reaper = new Script(shell)
    const ours = await stubborn(reaper.env)
    const others = [
      await stubborn({ REAPER_TEST: randomUUID() }),
      // Neither the end of a value nor its beginning is the mark.
      await stubborn({ REAPER_TEST: `${reaper.env.REAPER_TEST ?? ''}0` }),
      await stubborn({ ANOTHER: reaper.mark }),
    ]
    await reaper.supervisorEnds()
    await eventually(() => isAlive(ours), false, 'the marked process is killed')
    expect(others.map(isAlive)).toEqual([true, true, true])
  })

  it('removes directories and files, a file only while the word stands in it', async () => {
    const reaper = new Script(shell)
    const directory = temporaryDirectory()
    const path = (name: string): string => join(directory, name)
    mkdirSync(path('a directory'))
    writeFileSync(path('a directory/file'), '')
    writeFileSync(path('still ours.json'), '{"nonce": "the-nonce"}')
    writeFileSync(path('anothers.json'), '{"nonce": "the-other"}')
    reaper.tell(
      `d ${path('a directory')}`,
      `d ${path('never made')}`,
      `f the-nonce ${path('still ours.json')}`,
      `f the-nonce ${path('anothers.json')}`,
      `f the-nonce ${path('never written.json')}`,
    )
    await reaper.supervisorEnds()
    expect(['a directory', 'still ours.json', 'anothers.json'].map((name) => existsSync(path(name)))).toEqual([
      false,
      false,
      true,
    ])
  })

  it('reports each signal, survives it, and still does its work', async () => {
    const reaper = new Script(shell)
    const [before, after] = [await stubborn(), await stubborn()]
    reaper.tell(`+ ${before}`)
    await reaper.ready()
    for (const name of [...signals, ...signals]) expect(await reaper.reportOf(name)).toBe(name)
    reaper.tell(`+ ${after}`)
    await reaper.supervisorEnds()
    await eventually(() => [before, after].map(isAlive), [false, false], 'both groups are killed')
  })

  it('finishes its work when the signals come during it', async () => {
    // A grep that takes its time gives the signals a moment to come in.
    const bin = temporaryDirectory()
    const at = { begun: join(bin, 'begun'), go: join(bin, 'go') }
    writeFileSync(
      join(bin, 'grep'),
      `#!/bin/sh\n: > '${at.begun}'\nwhile [ ! -e '${at.go}' ]; do sleep 0.01; done\nPATH=\${PATH#*:}\nexec grep "$@"\n`,
    )
    chmodSync(join(bin, 'grep'), 0o755)
    const reaper = new Script(shell, `${bin}:${process.env.PATH ?? ''}`)
    const ours = await stubborn(reaper.env)
    await reaper.ready()
    const ended = reaper.supervisorEnds()
    await eventually(() => existsSync(at.begun) || reaper.child.exitCode !== null, true, 'it looks for the mark')
    for (const name of signals) kill(-reaper.child.pid, `SIG${name}`)
    writeFileSync(at.go, '')
    await ended
    await eventually(() => isAlive(ours), false, 'the marked process is killed')
  })
})

import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { directoryOrder } from '../../../src/process/reaper-orders.ts'
import script from '../../../src/process/reaper.sh'
import tidyScript from '../../../src/process/tidy.sh'
import type { OwnDirectory } from '../../../src/util/own-directory.ts'
import { asUser, type User } from '../../support/second-user.ts'
import { eventually, kill } from './processes.ts'

/** A program that may be /bin/sh. */
export interface Shell {
  readonly name: string
  readonly program: string
  readonly args?: readonly string[]
  readonly argv0?: string
}

export const systemShell: Shell = { name: '/bin/sh', program: '/bin/sh' }

/** How the reaper's script is run. */
export interface ScriptOptions {
  /** @default /bin/sh */
  readonly shell?: Shell
  readonly path?: string | undefined
  /** As whom. @default the user of the test */
  readonly as?: User
  /** Put before the script. */
  readonly prelude?: string
  /** Seconds between two looks at the supervisor. @default 2.5 */
  readonly interval?: string
}

/** The reaper's script at work: its standard input closes as it would if the supervisor were killed. */
export class ReaperScript {
  readonly mark = `REAPER_TEST=${randomUUID()}`
  readonly child: ChildProcess & { readonly pid: number }
  readonly #signals: AsyncIterator<string, undefined>

  constructor({
    shell = systemShell,
    path = process.env.PATH,
    as,
    prelude = '',
    interval = '2.5',
  }: ScriptOptions = {}) {
    const args = [...(shell.args ?? []), '-c', `${prelude}\n${script}`, 'reaper', this.mark, interval, tidyScript]
    const [program, all] = as === undefined ? [shell.program, args] : asUser(as, [shell.program, ...args])
    const child = spawn(program, all, {
      ...(as === undefined && shell.argv0 !== undefined ? { argv0: shell.argv0 } : {}),
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
      cwd: '/',
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

  tell(...orders: readonly string[]): void {
    for (const order of orders) this.child.stdin?.write(`${order}\n`)
  }

  /** Sends it a signal and gives the name that it reports. */
  async reportOf(name: string): Promise<string | undefined> {
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
  const path = `/proc/${pid}/status`
  const status = existsSync(path) ? readFileSync(path, 'utf8') : ''
  // USR2 is the last that the script traps.
  return BigInt(`0x${/^SigCgt:\s*(\w+)$/m.exec(status)?.[1] ?? '0'}`) & (1n << 11n)
}

/** The directory that stands at `path` now. */
export function seenDirectory(path: string): OwnDirectory {
  return { path, inode: String(lstatSync(path, { bigint: true }).ino) }
}

/** The order to remove it. */
export function orderToRemove(path: string): string {
  return directoryOrder(seenDirectory(path))
}

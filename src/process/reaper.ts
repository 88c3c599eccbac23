import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { RunnerError } from '../errors.ts'
import { withTwins } from '../util/container-twins.ts'
import { monotonic } from '../util/monotonic.ts'
import type { DirectoryKeeper, OwnDirectory } from '../util/own-directory.ts'
import { shellPath } from '../util/shell-path.ts'
import { settledWithin } from '../util/wait.ts'
import { forEachLine } from './output.ts'
import {
  directoryOrder,
  expectedOrder,
  fileOrder,
  groupOrder,
  lockOrder,
  type EndMarker,
  endMarkerOrder,
} from './reaper-orders.ts'
import script from './reaper.sh'
import { dropStreams, formatStartError } from './start-error.ts'
import tidyScript from './tidy.sh'

/** The variable that marks every process we start, so that none is missed at the end. */
const markVariable = 'DASK_HPC_RUNNER_MARK'

/**
 * A word that no other supervisor on this host has. It is no secret, and loading `node:crypto` would take 3 ms of the start. It
 * is a word of Python, too: Dask reads each variable `DASK_…` as an expression, and Python warns of what begins with a digit.
 */
function newMark(): string {
  const parts = [process.pid, process.hrtime.bigint(), BigInt(Math.floor(Math.random() * Number.MAX_SAFE_INTEGER))]
  return `m${parts.map((part) => part.toString(36)).join('_')}`
}

/** How long the reaper may take to end what is left. In milliseconds. */
const sweepTimeout = 8_000

/**
 * The script looks so often at a stopped supervisor, and twice more, before it kills it: the others, who
 * have missed its heartbeats by then, tell that it was frozen.
 */
const looks = 20

/** Between two attempts to start it. In milliseconds. */
const retryInterval = 1_000

function isAlive({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null
}

function cannotStart(error: unknown): RunnerError {
  return new RunnerError(`Cannot start "/bin/sh", which ends what a run has started: ${formatStartError(error)}`, {
    code: 'ERR_ENVIRONMENT',
    cause: error,
  })
}

/** What it does besides: the end marker that it makes, and the lock that it removes. */
interface AtEnd {
  marker?: EndMarker | undefined
  lock?: string | undefined
}

/**
 * A small shell process in a session of its own that ends everything we have started, and removes
 * our private directories, as soon as we are gone, whatever ended us. It is also asked to do so at
 * an ordinary end ({@link Reaper.close}), so that there is one way to leave nothing behind.
 *
 * It ignores the signals that end a job and reports them instead: a signal that reaches the reaper
 * has reached the whole process tree, not only its supervisor.
 */
export class Reaper implements AsyncDisposable, DirectoryKeeper {
  readonly #mark = newMark()
  /** Process groups, and how each is ended. */
  readonly #groups = new Map<number, '+' | '~'>()
  readonly #directories = new Map<string, OwnDirectory>()
  /** Those that may have been made, and are not known yet. */
  readonly #expected = new Set<string>()
  readonly #files = new Map<string, string>()
  readonly #atEnd: AtEnd = {}
  readonly #listeners = new Set<(signal: NodeJS.Signals) => void>()
  #shell: ChildProcess | undefined
  #closed = false
  #closing: Promise<void> | undefined
  #shortLives = 0
  readonly #lostAfter: number | undefined

  /** @param options.lostAfter milliseconds after which a stopped supervisor is ended, for which others wait. @default it may stay stopped */
  constructor({ lostAfter }: { readonly lostAfter?: number } = {}) {
    this.#lostAfter = lostAfter
  }

  /** Called where it cannot be started, so that nothing would be ended after us. */
  onFailure: (error: RunnerError) => void = () => undefined

  /** What children have to carry in their environment, and those in containers within them. */
  get environment(): Readonly<Record<string, string>> {
    return withTwins({ [markVariable]: this.#mark })
  }

  /** Has the process group `pgid` killed at the end: at once, or after time to end by itself. */
  addGroup(pgid: number, how: 'at once' | 'gently' = 'at once'): void {
    const sign = how === 'gently' ? '~' : '+'
    this.#groups.set(pgid, sign)
    this.#tell(groupOrder(sign, pgid))
  }

  /** Takes back {@link addGroup} for a group that has ended. */
  removeGroup(pgid: number): void {
    this.#groups.delete(pgid)
    this.#tell(groupOrder('-', pgid))
  }

  /**
   * Has a directory removed at the end that is about to be made, as long as it is empty. So there is no moment at which one
   * that was just made would be left. Its name has to be one of ours.
   */
  expectDirectory(path: string): void {
    this.#expected.add(path)
    this.#tell(expectedOrder(path))
  }

  /**
   * Has a directory removed at the end that was made before, with all that is in it. Its name has to be
   * one of ours (`dask-hpc-runner-…`, `.….run-…`, `.….doctor-…`), and nobody else may be able to enter it.
   */
  addDirectory(directory: OwnDirectory): void {
    this.#expected.delete(directory.path)
    this.#directories.set(directory.path, directory)
    this.#tell(directoryOrder(directory))
  }

  /** Has the file at `path` removed at the end, if `word` still stands in it then. */
  addFile(path: string, word: string): void {
    this.#files.set(path, word)
    this.#tell(fileOrder(path, word))
  }

  /** Has an empty file made at the end in a run's directory, if that is still there. */
  setEndMarker(marker: EndMarker): void {
    this.#atEnd.marker = marker
    this.#tell(endMarkerOrder(marker))
  }

  /** Takes back {@link setEndMarker}. */
  cancelEndMarker(): void {
    if (this.#atEnd.marker === undefined) return
    this.#atEnd.marker = undefined
    this.#tell(endMarkerOrder(undefined))
  }

  /** Has an empty directory removed at the end, which is a lock that this process holds. Undefined takes that back. */
  setLock(directory: string | undefined): void {
    this.#atEnd.lock = directory
    this.#tell(lockOrder(directory))
  }

  /** Calls `listener` for each HUP, INT, TERM, USR1 or USR2 that reached the whole process tree. */
  onSignal(listener: (signal: NodeJS.Signals) => void): void {
    this.#listeners.add(listener)
  }

  /** Ends what is still alive and removes the directories. May be called twice. */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #close(): Promise<void> {
    this.#closed = true
    if (this.#shell === undefined) return
    // One that was killed just now has ended nothing.
    if (!isAlive(this.#shell)) this.#start()
    const shell = this.#shell
    if (!isAlive(shell)) return
    shell.ref()
    const exited = once(shell, 'exit')
    shell.stdin?.end()
    // Somebody may have stopped it.
    shell.kill('SIGCONT')
    if (!(await settledWithin(exited, sweepTimeout))) shell.kill('SIGKILL')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #tell(line: string): void {
    if (this.#closed) return
    if (this.#shell === undefined) this.#start()
    else this.#shell.stdin?.write(`${line}\n`)
  }

  #start(): void {
    const mark = `${markVariable}=${this.#mark}`
    const seconds = this.#lostAfter === undefined ? '' : String(this.#lostAfter / looks / 1000)
    const shell = spawn('/bin/sh', ['-c', script, 'dask-run-reaper', mark, seconds, tidyScript], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      cwd: '/',
      env: { PATH: shellPath() },
    })
    this.#shell = shell
    if (shell.pid === undefined) {
      dropStreams(shell)
      shell.once('error', (error) => {
        this.#retry(shell)
        this.onFailure(cannotStart(error))
      })
      return
    }
    const began = monotonic()
    shell.on('error', () => undefined)
    shell.once('exit', () => {
      // One that ends by itself would do so again.
      if (monotonic() - began > retryInterval || this.#shortLives++ < 3) this.#again(shell)
      else this.#retry(shell)
    })
    // Neither the reaper nor its pipes keep us alive.
    shell.unref()
    for (const stream of [shell.stdin, shell.stdout]) {
      stream.on('error', () => undefined)
      if (stream instanceof Socket) stream.unref()
    }
    forEachLine(shell.stdout, (name) => {
      for (const listener of this.#listeners) listener(`SIG${name}` as NodeJS.Signals)
    })
    for (const order of this.#orders()) shell.stdin.write(`${order}\n`)
  }

  #retry(shell: ChildProcess): void {
    setTimeout(() => {
      this.#again(shell)
    }, retryInterval).unref()
  }

  #again(shell: ChildProcess): void {
    if (!this.#closed && this.#shell === shell) this.#start()
  }

  /** All that has been ordered and not taken back. */
  #orders(): readonly string[] {
    return [
      ...Array.from(this.#expected, expectedOrder),
      ...Array.from(this.#directories.values(), directoryOrder),
      ...(this.#atEnd.marker === undefined ? [] : [endMarkerOrder(this.#atEnd.marker)]),
      ...(this.#atEnd.lock === undefined ? [] : [lockOrder(this.#atEnd.lock)]),
      ...Array.from(this.#files, ([path, word]) => fileOrder(path, word)),
      ...Array.from(this.#groups, ([pgid, sign]) => groupOrder(sign, pgid)),
    ]
  }
}

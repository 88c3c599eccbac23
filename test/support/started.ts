import type { ChildProcess } from 'node:child_process'
import { expect } from 'vitest'
import { alarmIn } from './alarm.ts'
import { kill } from './processes.ts'
import { describeStuck, openFile } from './stuck.ts'
import { patient, until } from './until.ts'

/** How a started program ended. */
export interface Ended {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
}

/** What a test knows of a program that it has started. */
export interface StartedOptions {
  /** Ids of the processes that have come of it. */
  readonly family?: () => readonly number[]
  /** How long a test waits for its end: less than the test has, so that it can tell. In milliseconds. @default {@link patient} */
  readonly patience?: number
}

/** A program that a test has started. */
export class Started {
  /** Resolves when it has ended and nobody has its output open any more, however long that takes. */
  readonly closed: Promise<Ended>
  readonly #process: ChildProcess
  readonly #family: NonNullable<StartedOptions['family']>
  readonly #patience: number
  /** What its output is called in /proc, where it is open. */
  readonly #output: readonly string[]
  #exit: Ended | undefined
  #isClosed = false
  #stdout = ''
  #stderr = ''

  constructor(child: ChildProcess, { family = () => [], patience = patient }: StartedOptions = {}) {
    this.#process = child
    this.#family = family
    this.#patience = patience
    this.#output = [1, 2].map((fd) => openFile(this.pid, fd)).filter((name) => name !== undefined)
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    child.once('exit', (status, signal) => (this.#exit = { status, signal }))
    this.closed = new Promise((done) => {
      child.once('error', () => {
        done({ status: 127, signal: null })
      })
      child.once('close', (status, signal) => {
        done({ status, signal })
      })
    })
    void this.closed.then(() => (this.#isClosed = true))
  }

  /**
   * How it ended, and nobody has its output open any more.
   *
   * @throws Error with what it has printed and which processes are there, before the test's own time is up.
   */
  get ended(): Promise<Ended> {
    return this.#ended()
  }

  get pid(): number {
    return this.#process.pid ?? -1
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** What it has printed so far, for messages. */
  get output(): string {
    return `--- standard output\n${this.#stdout}--- standard error\n${this.#stderr}`
  }

  signal(signal: NodeJS.Signals): void {
    kill(this.pid, signal)
  }

  /** Waits for its end and checks the exit status. */
  async expectStatus(status: number): Promise<void> {
    expect(await this.ended, this.output).toEqual({ status, signal: null })
  }

  /** Waits until it has printed `text`, on standard output or standard error. */
  async expectOutput(text: string | RegExp): Promise<void> {
    const there = (): boolean => (typeof text === 'string' ? this.output.includes(text) : text.test(this.output))
    await until(
      () => there() || this.#isClosed,
      (done) => done,
      { what: `it prints ${String(text)}`, say: () => this.output },
    )
    expect(there(), `it ended without printing ${String(text)}\n${this.output}`).toBe(true)
  }

  /** What it has told as an error, without what it quotes. */
  errors(): string[] {
    return this.stderr.split('\n').filter((line) => /(\]|^dask-hpc-runner:) error: (?!\| )/.test(line))
  }

  /** The lines on its standard error, but for those that say what it has been waiting for: a quick run has none of them. */
  words(): string[] {
    return this.stderr.split('\n').filter((line) => line !== '' && !/ \(\d+(\.\d+)? (s|min)\)$/.test(line))
  }

  /** Checks that a clean run alarmed nobody. */
  expectNoAlarm(): void {
    expect(alarmIn(this.output), this.output).toBeUndefined()
  }

  async #ended(): Promise<Ended> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((done) => {
      timer = setTimeout(() => done(undefined), this.#patience)
    })
    const ended = await Promise.race([this.closed, late])
    clearTimeout(timer)
    if (ended !== undefined) return ended
    throw new Error(`Waited ${this.#patience / 1000} s for the end of ${this.pid}: ${this.#state()}`)
  }

  #state(): string {
    const { status, signal } = this.#exit ?? {}
    const exit = this.#exit === undefined ? 'it runs' : `it has ended (${status ?? signal}), but its output is open`
    const processes = describeStuck(this.#family(), this.#output)
    return `${exit}\n${this.output}--- processes (state, where in the kernel; which of its open files are the output)\n${processes}`
  }
}

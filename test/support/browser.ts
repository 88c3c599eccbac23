import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { deadline } from '../../src/util/wait.ts'
import { patient } from './until.ts'

/** A message of the DevTools protocol: an answer, or an event. */
interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly message: string }
}

/** How a page is looked at. */
export interface View {
  readonly width?: number
  readonly isDark?: boolean
}

/** How long the browser may take for one answer. In milliseconds. */
const answerMs = patient

/** A real Chromium without a window, which is told what to do over a pipe: https://chromedevtools.github.io/devtools-protocol/ */
export class Browser implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #directory: string
  readonly #answers = new Map<number, (message: Message) => void>()
  readonly #listeners = new Set<(message: Message) => void>()
  readonly #said: string[] = []
  readonly #ended: Promise<unknown>
  #session: string | undefined
  #count = 0

  private constructor(child: ChildProcess, directory: string) {
    this.#child = child
    this.#directory = directory
    this.#ended = new Promise((resolve) => child.once('close', resolve))
    child.stderr?.on('data', (chunk) => this.#said.push(String(chunk)))
    let rest = ''
    ;(child.stdio[4] as Readable).setEncoding('utf8').on('data', (chunk: string) => {
      const [last = '', ...messages] = (rest + chunk).split('\0').reverse()
      rest = last
      for (const message of messages.reverse()) this.#hear(JSON.parse(message) as Message)
    })
  }

  static async start(program: string): Promise<Browser> {
    const directory = await mkdtemp(join(tmpdir(), 'dask-hpc-runner-test-browser-'))
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars']
    const args = [...flags, '--remote-debugging-pipe', `--user-data-dir=${directory}`, 'about:blank']
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'], detached: true })
    const browser = new Browser(child, directory)
    const { targetId } = await browser.ask('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await browser.ask('Target.attachToTarget', { targetId, flatten: true })
    browser.#session = sessionId as string
    for (const domain of ['Page', 'Runtime', 'Log', 'Network', 'Accessibility']) await browser.ask(`${domain}.enable`)
    return browser
  }

  /**
   * Opens a file.
   *
   * @returns what was said on the console, and the addresses of all that was asked for.
   */
  async open(
    path: string,
    { width = 1_100, isDark = false }: View = {},
  ): Promise<{ console: string[]; requests: string[] }> {
    const [said, requests]: [string[], string[]] = [[], []]
    const value = isDark ? 'dark' : 'light'
    await this.ask('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] })
    await this.ask('Emulation.setDeviceMetricsOverride', { width, height: 800, deviceScaleFactor: 1, mobile: false })
    const loaded = new Promise<void>((resolve) => {
      const listen = ({ method = '', params = {} }: Message): void => {
        if (method === 'Network.requestWillBeSent') requests.push((params.request as { url: string }).url)
        if (
          method === 'Log.entryAdded' ||
          method === 'Runtime.consoleAPICalled' ||
          method === 'Runtime.exceptionThrown'
        )
          said.push(JSON.stringify(params))
        if (method !== 'Page.loadEventFired') return
        this.#listeners.delete(listen)
        resolve()
      }
      this.#listeners.add(listen)
    })
    await this.ask('Page.navigate', { url: pathToFileURL(path).href })
    await deadline(loaded, answerMs, () => new Error(`The page does not load: ${this.#said.join('')}`))
    return { console: said, requests }
  }

  /** What an expression is in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.ask('Runtime.evaluate', { expression, returnByValue: true })
    return (result as { value: unknown }).value
  }

  /** Gives an order, and its answer. */
  async ask(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#count
    const session = this.#session === undefined ? {} : { sessionId: this.#session }
    const answer = new Promise<Message>((resolve) => this.#answers.set(id, resolve))
    ;(this.#child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...session })}\0`)
    const late = (): Error => new Error(`The browser does not answer "${method}": ${this.#said.join('')}`)
    const { result = {}, error } = await deadline(answer, answerMs, late)
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result
  }

  #hear(message: Message): void {
    if (message.id === undefined) for (const listen of this.#listeners) listen(message)
    else this.#answers.get(message.id)?.(message)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#child
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    await this.#ended
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

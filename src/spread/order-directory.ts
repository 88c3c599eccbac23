import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PrivateDirectory } from '../filesystem/private-directory.ts'
import type { DirectoryKeeper } from '../util/own-directory.ts'
import { RunnerError } from '../errors.ts'
import { sleep } from '../util/wait.ts'
import type { Line } from './line.ts'
import type { SpreadOrders } from './orders.ts'

/** Time between two looks of a rank into the directory, and of its launcher. In milliseconds. */
const [rankInterval, launcherInterval] = [500, 250] as const

/** For how long a rank looks for its orders: the directory may show late on another host. In milliseconds. */
const patience = 30_000

/**
 * Where launcher and ranks speak if the remote start hands on no input: a directory of this user alone, which all hosts
 * share. Its files are
 *
 * - `orders-3`: the orders of rank 3
 * - `7-3-SIGTERM`: the seventh word is for rank 3
 * - `ready-3`, `ended-3-0`: what rank 3 has to say, the latter with its status
 *
 * When it has gone, the launcher has.
 */
export class OrderDirectory {
  readonly path: string
  readonly #directory: PrivateDirectory
  #words = 0
  #sent: Promise<unknown> = Promise.resolve()

  constructor(path: string) {
    this.path = path
    this.#directory = new PrivateDirectory(path)
  }

  /** Makes the directory; `keeper` removes it. */
  async make(keeper: DirectoryKeeper): Promise<void> {
    if (await this.#directory.make(keeper)) return
    throw new RunnerError(`Cannot make the directory "${this.path}"`, { code: 'ERR_ENVIRONMENT' })
  }

  /** Leaves the orders of a rank. */
  async order(rank: number, orders: SpreadOrders): Promise<void> {
    await this.#directory.put(`orders-${rank}`, JSON.stringify(orders))
  }

  /** Leaves a word for a rank, after those before. One that cannot be left is lost. */
  send(rank: number, word: string): void {
    const name = `${++this.#words}-${rank}-${word}`
    this.#sent = this.#sent.then(async () => this.#directory.leaveName(name)).catch(() => undefined)
  }

  /** Resolves when a rank is ready. */
  async ready(rank: number, signal: AbortSignal): Promise<void> {
    while (!(await this.#names()).includes(`ready-${rank}`)) await sleep(launcherInterval, signal)
  }

  /** The status that a rank has left; undefined where it has left none. */
  async statusOf(rank: number): Promise<number | undefined> {
    const said = (await this.#names()).map((name) => /^ended-([0-9]+)-([0-9]{1,3})$/.exec(name))
    const own = said.find((parts) => parts?.[1] === String(rank))
    return own?.[2] === undefined ? undefined : Number(own[2])
  }

  async #names(): Promise<readonly string[]> {
    return await this.#directory.list().catch(() => [])
  }
}

/** The orders of a rank in that directory, and its line: when this process ends, its status is left there. */
export async function joinDirectory(
  path: string,
  rank: number,
): Promise<{ readonly orders: string; readonly line: Line }> {
  const directory = new PrivateDirectory(path)
  const orders = await readOrders(directory, `orders-${rank}`)
  process.once('exit', (status) => {
    try {
      directory.useAtOnce((at) => writeFileSync(join(at, `ended-${rank}-${status}`), '', { flag: 'wx', mode: 0o600 }))
    } catch {
      // The launcher has gone.
    }
  })
  let timer: NodeJS.Timeout | undefined
  const listen: Line['listen'] = (onWord, onEnd) => {
    const heard = new Set<string>()
    const look = async (): Promise<void> => {
      const names = await directory.list().catch(() => undefined)
      if (names === undefined) {
        clearInterval(timer)
        onEnd()
        return
      }
      for (const [name, word] of wordsFor(rank, names)) {
        if (heard.has(name)) continue
        heard.add(name)
        onWord(word)
      }
    }
    timer = setInterval(() => void look(), rankInterval)
  }
  const sayReady = async (): Promise<void> => directory.leaveName(`ready-${rank}`)
  return { orders, line: { listen, sayReady, unref: () => timer?.unref() } }
}

/** The words for a rank, each with the name that it stands in, in the order in which they were sent. */
function wordsFor(rank: number, names: readonly string[]): readonly (readonly [name: string, word: string])[] {
  const found = names.map((name) => /^([0-9]+)-([0-9]+)-([A-Za-z0-9]+)$/.exec(name)).filter((parts) => parts !== null)
  return found
    .filter((parts) => parts[2] === String(rank))
    .sort((one, other) => Number(one[1]) - Number(other[1]))
    .map(([name, , , word = '']) => [name, word] as const)
}

async function readOrders(directory: PrivateDirectory, name: string): Promise<string> {
  for (let left = patience / rankInterval; left > 0; left--) {
    const names: readonly string[] = await directory.list().catch(() => [])
    const text = names.includes(name) ? await directory.read(name) : undefined
    if (text !== undefined) return text
    await sleep(rankInterval)
  }
  throw new RunnerError(
    `Cannot find the orders of this rank in "${directory.path}": start spread in a directory that all hosts share`,
    { code: 'ERR_ENVIRONMENT' },
  )
}

import { parseAs } from '../../record/schemas.ts'
import { reachDask } from '../../dask/verify-scheduler.ts'
import { hostAndPort } from '../../util/network.ts'
import { errnoOf } from '../../errors.ts'
import type { PrivateDirectory } from '../../filesystem/private-directory.ts'
import { type FileForms, removeKnownFiles } from '../../filesystem/known-files.ts'
import { isTemporaryName } from '../../filesystem/temporary-name.ts'
import { defaultPollInterval, realWatchSeams, watchDirectory, type WatchOptions } from '../../rendezvous/file/watch.ts'
import { monotonic } from '../../util/monotonic.ts'
import { cannotWrite, tryName, tryText } from './directory.ts'
import { type RankFacts, rankFactsSchema, type Start, startSchema } from './rank-facts.ts'

/** Names in our directory: the empty `here-3.node3` says that a process of a host has come. */
const startName = 'start.json'
const presenceName = /^here-(\d+)\.(.+)$/
const factsName = /^facts-(\d+)\.json$/
/** All that we make in our directory. */
export const doctorFiles: FileForms = {
  parserOf: (name) => {
    if (name === startName) return parseStart
    if (factsName.test(name)) return parseFacts
    return tryName.test(name) ? (text) => (text === tryText ? text : undefined) : undefined
  },
  isEmpty: (name) => presenceName.test(name),
  isTemporary: (name) =>
    [startName, /^\.(facts-\d+\.json)\./.exec(name)?.[1] ?? ''].some((base) => isTemporaryName(name, base)),
}

/** What rank 0 has left in {@link startSchema}'s form, or undefined. */
export function parseStart(text: string): Start | undefined {
  return parseAs(startSchema, text)
}

/** What another process has left, or undefined. */
export function parseFacts(text: string): RankFacts | undefined {
  return parseAs(rankFactsSchema, text)
}

/** How processes meet in our directory. */
export interface ExchangeOptions {
  /** Our directory beside the scheduler file. */
  readonly own: PrivateDirectory
  /** Number of processes. */
  readonly size: number
  /** How long the others may take. In milliseconds. */
  readonly timeout: number
  readonly signal: AbortSignal
}

/** What rank 0 has seen in its time. */
export interface Gathered {
  readonly start: Start
  /** What the others have told. */
  readonly seen: readonly RankFacts[]
  /** Processes that have come, by rank and host, whether or not they have told more. */
  readonly came: ReadonlyMap<number, string>
  /** How long it has waited. In milliseconds. */
  readonly waited: number
}

class Late extends Error {}

/** Rank 0: says where it listens, and waits for what the others leave. */
export async function gatherRanks(start: Start, options: ExchangeOptions): Promise<Gathered> {
  const { own, size } = options
  await put(own, startName, JSON.stringify(start))
  const began = monotonic()
  const seen = new Map<number, RankFacts>()
  const came = new Map<number, string>()
  const look = async (names: readonly string[]): Promise<true | undefined> => {
    for (const name of names) {
      const [, here, host] = presenceName.exec(name) ?? []
      if (here !== undefined && host !== undefined) came.set(Number(here), host)
      const rank = Number(factsName.exec(name)?.[1] ?? 0)
      if (rank === 0 || rank >= size || seen.has(rank)) continue
      const facts = await readFacts(own, name)
      if (facts?.rank === rank) seen.set(rank, facts)
    }
    return seen.size === size - 1 ? true : undefined
  }
  try {
    await watchDirectory(own.path, look, watching(options))
  } catch (error) {
    if (!(error instanceof Late)) throw error
  }
  return { start, seen: [...seen.values()], came, waited: monotonic() - began }
}

async function readFacts(own: PrivateDirectory, name: string): Promise<RankFacts | undefined> {
  // Listed and yet not found, on a filesystem that caches: the next look will find it.
  return parseFacts((await own.read(name).catch(() => undefined)) ?? '')
}

async function put(own: PrivateDirectory, name: string, text: string): Promise<void> {
  try {
    await own.put(name, text)
  } catch (error) {
    throw cannotWrite(own.path, error)
  }
}

/** Every other process: waits for rank 0, and connects to where it listens. Undefined where it does not come. */
export async function lookUpRank0(options: ExchangeOptions): Promise<RankFacts['reach'] | undefined> {
  const { own, signal } = options
  const look = async (names: readonly string[]): Promise<Start | undefined> => {
    if (!names.includes(startName)) return undefined
    return parseStart((await own.read(startName)) ?? '')
  }
  const start = await watchDirectory(own.path, look, watching(options)).catch(gone)
  if (start === undefined) return undefined
  const answers = start.listens.map(
    async ({ what, host, port }) => [what, await reachDask(`tcp://${hostAndPort(host, port)}`, { signal })] as const,
  )
  return Object.fromEntries(await Promise.all(answers))
}

/** Every other process: leaves its facts, and waits until rank 0 has done with them. */
export async function sendFacts(facts: RankFacts, options: ExchangeOptions): Promise<void> {
  const { own } = options
  try {
    await put(own, `facts-${facts.rank}.json`, JSON.stringify(facts))
  } catch (error) {
    // Rank 0 has waited long enough and removed the directory.
    if (errnoOf(error instanceof Error ? error.cause : error) === 'ENOENT') return
    throw error
  }
  await watchDirectory(own.path, () => Promise.resolve(undefined), watching(options)).catch(gone)
}

/** That rank 0 has removed the directory, or has not come, is no error here. */
function gone(error: unknown): undefined {
  if (error instanceof Late || errnoOf(error) === 'ENOENT') return undefined
  throw error
}

function watching({ own, size, timeout, signal }: ExchangeOptions): WatchOptions {
  const interval = defaultPollInterval(size)
  const seams = { ...realWatchSeams, list: async () => await own.list() }
  return {
    mode: 'poll',
    interval,
    timeout,
    signal,
    late: () => new Late(),
    notice: () => undefined,
    seams,
  }
}

/** Leaves word in our directory that this process has come. Never throws. */
export async function leavePresence(
  own: PrivateDirectory,
  { rank, node }: { readonly rank: number; readonly node: string },
): Promise<void> {
  try {
    await own.leaveName(`here-${rank}.${node.replace(/[^A-Za-z0-9._-]/g, '_')}`)
  } catch {
    // A full disk, perhaps: that is a finding of its own.
  }
}

/** Removes the files of `whose`, or of all, and our directory where nothing is left in it. Never throws. */
export async function leaveDirectory(own: PrivateDirectory, whose: number | 'all'): Promise<void> {
  const isMine = (name: string): boolean =>
    whose === 'all' || name.startsWith(`here-${whose}.`) || name.includes(`facts-${whose}.json`)
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      await removeKnownFiles(own, doctorFiles, isMine)
      // A process that came late may have added a file in between.
      if ((await own.removeIfEmpty()) || whose !== 'all') return
    } catch {
      // Once more, as long as there is time.
    }
  }
}

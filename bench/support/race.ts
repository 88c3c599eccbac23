import { join } from 'node:path'
import { settledWithin } from '../../src/util/wait.ts'
import { Cluster, type Started } from '../../test/support/cluster.ts'

/** The client program of the launch benchmarks. */
export const firstResult = join(import.meta.dirname, 'first_result.py')

/** One way to start a cluster and a client program on it. */
export interface Contender {
  readonly name: string
  /** Starts everything at once. */
  readonly launch: (cluster: Cluster) => readonly Started[]
  /** Called after the launch; a client program with `--hold hold` waits for that file when it has its first result. */
  readonly look?: (cluster: Cluster, started: readonly Started[]) => Promise<void>
  /** One of a peer's launches that does not end is started again, and told; ours has to end. */
  readonly mayHang?: boolean
}

/** A lap that goes on for longer hangs: each takes a few seconds. In milliseconds. */
const lapTimeout = 20_000
/** So many laps of a contender may hang in a row. */
const mostHanging = 10

/** What one launch took, in milliseconds. */
export interface Lap {
  /** From the launch to the client's first result. */
  readonly first: number
  /** From the launch to the end of the last process. */
  readonly all: number
  /** From the end of the client program's work to the end of the last process. */
  readonly shutdown: number
}

/** Lets the contenders start one after the other, `rounds` times over, so that all see the same machine. */
export async function race(contenders: readonly Contender[], rounds: number): Promise<ReadonlyMap<string, Lap[]>> {
  const laps = new Map(contenders.map(({ name }) => [name, [] as Lap[]]))
  for (let round = 0; round < rounds; round++)
    for (const contender of contenders) laps.get(contender.name)?.push(await lapThatEnds(contender))
  return laps
}

async function lapThatEnds(contender: Contender): Promise<Lap> {
  for (let hanging = 0; hanging < mostHanging; hanging++) {
    const done = await lap(contender)
    if (done !== undefined) return done
    process.stdout.write(`"${contender.name}" hung for ${lapTimeout / 1000} s, and is started again\n`)
  }
  throw new Error(`"${contender.name}" hung ${mostHanging} times in a row`)
}

/** Undefined: it may hang, and did. */
async function lap({ name, launch, look, mayHang = false }: Contender): Promise<Lap | undefined> {
  await using cluster = await Cluster.make()
  const began = Date.now()
  const started = launch(cluster)
  if (look !== undefined) await look(cluster, started)
  const ended = Promise.all(started.map(async ({ ended }) => await ended))
  if (mayHang && !(await settledWithin(ended, lapTimeout))) return undefined
  const endings = await ended
  while (cluster.processes().length > 0);
  const over = Date.now()
  const output = started.map((each) => each.output).join('')
  const [first, end] = ['first', 'end'].map((word) => Number(new RegExp(`^${word} ([0-9.]+)$`, 'm').exec(output)?.[1]))
  if (first === undefined || end === undefined || Number.isNaN(first) || endings.some(({ status }) => status !== 0))
    throw new Error(`"${name}" failed: ${JSON.stringify(endings)}\n${output}`)
  return { first: first * 1000 - began, all: over - began, shutdown: over - end * 1000 }
}

import * as z from 'zod/mini'
import type { SchedulerClient } from '../../dask/scheduler-client.ts'
import { presentWorkers } from '../../dask/present-workers.ts'
import { defaults } from '../../defaults.ts'
import { type ClusterRecord, clusterRecordSchema } from '../../record/cluster-record.ts'
import { type PresentWorkers, presentWorkersSchema } from '../../record/present-workers.ts'
import { type LookerSeat, takeSeat } from '../../rendezvous/host-seat.ts'
import { monotonic } from '../../util/monotonic.ts'
import type { TlsFiles } from '../../util/tls-files.ts'
import { sleep } from '../../util/wait.ts'
import { askScheduler, type LiveCluster } from './find.ts'
import type { NoCluster } from './no-cluster.ts'
import { Pace } from './pace.ts'

/** What a process knows of the scheduler that it waits at: it has asked itself, or was told. */
export type Met = Speaker | Told

const toldSchema = z.object({
  kind: z.literal('told'),
  /** Of the scheduler. */
  id: z.string(),
  /** As of this moment; undefined where there is an asker, which knows better. */
  present: z.optional(presentWorkersSchema),
  /** Who asks for all. */
  asker: z.optional(clusterRecordSchema),
})
/** What another process of this host, which speaks with the scheduler, has told. */
export type Told = z.infer<typeof toldSchema>

const kinds = ['missing', 'foreign', 'gone', 'stranger', 'unreachable', 'silent'] as const
const heardSchema = z.discriminatedUnion('kind', [
  toldSchema,
  z.object({ kind: z.literal('nothing'), no: z.object({ kind: z.enum(kinds), why: z.string() }) }),
])

/** How to meet. */
export interface MeetOptions {
  /** Milliseconds. */
  readonly timeout: number
  readonly signal: AbortSignal
  readonly tls?: TlsFiles | undefined
  /** So many requests may be made at once. */
  readonly atOnce: number
  /** Not to be told by the others of this host. */
  readonly apart?: boolean
}

/**
 * Comes together with the other processes of this host that wait at a scheduler: one of them speaks
 * with it, and the others are told.
 *
 * @throws RunnerError ERR_ENVIRONMENT where TLS is not set up for it, or the signal's reason.
 */
export async function meetAt(address: string, options: MeetOptions): Promise<Met | NoCluster> {
  const { timeout, signal, apart = false } = options
  const end = monotonic() + timeout
  const late = AbortSignal.timeout(Math.ceil(timeout))
  const either = AbortSignal.any([signal, late])
  try {
    for (;;) {
      const seat = apart ? undefined : await takeSeat(`wait ${address}`, either)
      if (seat?.kind !== 'listener')
        return await speak(address, seat, { ...options, timeout: Math.max(1, end - monotonic()) })
      try {
        const told = await seat.told(either)
        if (typeof told === 'string') continue
        const heard = parseHeard(told.text)
        // The others may be of another version.
        if (heard === undefined) return await meetAt(address, { ...options, apart: true })
        return heard.kind === 'told' ? heard : heard.no
      } finally {
        await seat.leave()
      }
    }
  } catch (error) {
    signal.throwIfAborted()
    if (!late.aborted) throw error
    return { kind: 'silent', why: `the scheduler at ${address} has not answered yet` }
  }
}

async function speak(
  address: string,
  seat: LookerSeat | undefined,
  { timeout, signal, tls, atOnce }: MeetOptions,
): Promise<Speaker | NoCluster> {
  try {
    const pace = new Pace(atOnce)
    await pace.turn(signal)
    const found = await askScheduler(address, { timeout, signal, tls })
    if (found.kind === 'alive') return new Speaker(found, pace, seat)
    await seat?.tell(JSON.stringify({ kind: 'nothing', no: found }))
    await seat?.leave()
    return found
  } catch (error) {
    await seat?.leave()
    throw error
  }
}

/** A process that speaks with the scheduler, for all of its host that wait there. */
export class Speaker implements AsyncDisposable {
  readonly kind = 'speaker'
  readonly client: SchedulerClient
  /** Of the scheduler. */
  readonly id: string
  /** As of the moment at which it was asked. */
  readonly present: PresentWorkers
  readonly pace: Pace
  readonly #seat: LookerSeat | undefined
  readonly #askedAt = monotonic()
  #hasTold = false

  constructor({ client, identity }: LiveCluster, pace: Pace, seat: LookerSeat | undefined) {
    this.client = client
    this.id = identity.id
    this.present = presentWorkers(identity)
    this.pace = pace
    this.#seat = seat
  }

  /** Sends those of this host to whoever asks for all, now and as long as this one has its seat. */
  async introduce(asker: ClusterRecord): Promise<void> {
    this.#hasTold = true
    await this.#tell({ kind: 'told', id: this.id, asker })
  }

  /** Leaves the scheduler, and the seat to whoever takes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close()
    if (!this.#hasTold) {
      // Those that come a moment later need not ask again.
      await this.#tell({ kind: 'told', id: this.id, present: this.present })
      if (this.#seat !== undefined) await sleep(Math.max(0, this.#askedAt + defaults.workersInterval - monotonic()))
    }
    await this.#seat?.leave()
  }

  async #tell(told: Told): Promise<void> {
    await this.#seat?.tell(JSON.stringify(told))
  }
}

function parseHeard(text: string): z.infer<typeof heardSchema> | undefined {
  try {
    const parsed = z.safeParse(heardSchema, JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import * as z from 'zod/mini'
import type { Frames } from './frames.ts'
import { Sealing } from './sealing.ts'

/*
 * How both ends of a new connection prove that they know the secret of the run, which is never sent:
 *
 *   caller  {"purpose":"join","nonce":"N1"}
 *   rank 0  {"nonce":"N2","proof":"P2"}
 *   caller  {"proof":"P1"}
 *
 * A proof is the HMAC-SHA-256, with the secret as its key, of whose proof it is, the purpose, the run key and both nonces.
 * So none can be used again, for another purpose, or by whom it was shown to. Two more of these are the keys with
 * which the two directions are sealed from then on.
 */

/** What a channel is for: taking part in the run, heartbeats alone, a command beside the run, whether the run is alive. */
const purposes = ['join', 'heartbeat', 'observe', 'ask'] as const
export type Purpose = (typeof purposes)[number]

/** What both ends know. */
export interface Shared {
  readonly runKey: string
  readonly secret: string
}

/** The two directions of a proved connection. */
export interface Session {
  readonly sending: Sealing
  readonly receiving: Sealing
}

/** The other end does not know the secret. */
export class NotProvedError extends Error {}
const notOurs = 'another program answers there, or another run'

const nonceBytes = 32
const base64urlOf32Bytes = z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/))
const greetingSchema = z.object({ purpose: z.enum(purposes), nonce: base64urlOf32Bytes })
const answerSchema = z.object({ nonce: base64urlOf32Bytes, proof: base64urlOf32Bytes })
const proofSchema = z.object({ proof: base64urlOf32Bytes })

/**
 * The caller's part. It says nothing about itself before rank 0 has proved itself.
 *
 * @throws NotProvedError where something else answers, Error where the connection closes.
 */
export async function proveToServer(frames: Frames, purpose: Purpose, shared: Shared): Promise<Session> {
  const callerNonce = newNonce()
  send(frames, { purpose, nonce: callerNonce })
  const { nonce: serverNonce, proof } = await receive(frames, answerSchema)
  const connection = { purpose, callerNonce, serverNonce }
  check(frames, proof, derive('proof of rank 0', shared, connection))
  frames.trust()
  send(frames, { proof: derive('proof of the caller', shared, connection).toString('base64url') })
  const { toServer, toCaller } = sealings(shared, connection)
  return { sending: toServer, receiving: toCaller }
}

/**
 * Rank 0's part.
 *
 * @param sharedFor what is known to callers of that purpose
 * @throws NotProvedError for anybody else, Error where the connection closes.
 */
export async function proveToCaller(
  frames: Frames,
  sharedFor: (purpose: Purpose) => Shared,
): Promise<Session & { readonly purpose: Purpose }> {
  const { purpose, nonce: callerNonce } = await receive(frames, greetingSchema)
  const shared = sharedFor(purpose)
  const connection = { purpose, callerNonce, serverNonce: newNonce() }
  const mine = derive('proof of rank 0', shared, connection).toString('base64url')
  send(frames, { nonce: connection.serverNonce, proof: mine })
  const { proof } = await receive(frames, proofSchema)
  check(frames, proof, derive('proof of the caller', shared, connection))
  frames.trust()
  const { toServer, toCaller } = sealings(shared, connection)
  return { purpose, sending: toCaller, receiving: toServer }
}

function sealings(
  shared: Shared,
  connection: OpenConnection,
): { readonly toServer: Sealing; readonly toCaller: Sealing } {
  return {
    toServer: new Sealing(derive('key to rank 0', shared, connection)),
    toCaller: new Sealing(derive('key to the caller', shared, connection)),
  }
}

interface OpenConnection {
  readonly purpose: Purpose
  readonly callerNonce: string
  readonly serverNonce: string
}

/** What only those can make who know the secret, for this connection alone and for nothing else on it. */
function derive(
  label: string,
  { runKey, secret }: Shared,
  { purpose, callerNonce, serverNonce }: OpenConnection,
): Buffer {
  const what = JSON.stringify(['dask-hpc-runner channel 1', label, purpose, runKey, callerNonce, serverNonce])
  return createHmac('sha256', secret).update(what).digest()
}

function newNonce(): string {
  return randomBytes(nonceBytes).toString('base64url')
}

function send(frames: Frames, message: object): void {
  frames.send(Buffer.from(JSON.stringify(message)))
}

async function receive<T>(frames: Frames, schema: z.ZodMiniType<T>): Promise<T> {
  const content = await frames.next().catch((error: unknown) => {
    throw frames.isGarbage ? new NotProvedError(notOurs) : error
  })
  try {
    return z.parse(schema, JSON.parse(content.toString()))
  } catch {
    return refuse(frames)
  }
}

function check(frames: Frames, shown: string, expected: Buffer): void {
  if (!timingSafeEqual(Buffer.from(shown, 'base64url'), expected)) refuse(frames)
}

function refuse(frames: Frames): never {
  frames.refuse()
  throw new NotProvedError(notOurs)
}

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/** Where a process that waits listens for news of its run. Who can list the run's directory knows it. */
export interface NewsPort {
  readonly rank: number
  /** Of AES-256. News is sealed with it, so that others can neither read nor make any. */
  readonly key: Buffer
  readonly port: number
  /** Addresses of its host, of which one at least should be reached from process 0. */
  readonly addresses: readonly string[]
}

/** Name of the empty file that says where a process listens: `news-3.KEY.41234.10.0.0.3_fd00--3`. */
export const newsPortName = /^news-(\d+)\.([A-Za-z0-9_-]{43})\.(\d{1,5})\.([A-Za-z0-9._-]+)$/

const highestPort = 65_535

/** More would not fit into a file's name. */
export const mostAddresses = 4

/** The name for a port. Colons, which not every filesystem takes, become `-`. */
export function newsPortNameOf({ rank, key, port, addresses }: NewsPort): string {
  const where = addresses.slice(0, mostAddresses).map((address) => address.replaceAll(':', '-'))
  return `news-${rank}.${key.toString('base64url')}.${port}.${where.join('_')}`
}

/** The port that a file's name tells of, or undefined for any other name. */
export function readNewsPort(name: string): NewsPort | undefined {
  const [, rank, key = '', port, addresses = ''] = newsPortName.exec(name) ?? []
  if (rank === undefined || Number(port) > highestPort) return undefined
  return {
    rank: Number(rank),
    key: Buffer.from(key, 'base64url'),
    port: Number(port),
    addresses: addresses.split('_').map((address) => address.replaceAll('-', ':')),
  }
}

const cipher = 'aes-256-gcm'
/** Bytes of what AES-GCM begins with and of its tag, as usual. */
const [ivLength, tagLength] = [12, 16]

/** A new key for a port. */
export function newKey(): Buffer {
  return randomBytes(32)
}

/** News as it is sent: iv, tag, and the text in AES-GCM. */
export function seal(text: string, key: Buffer): Buffer {
  const iv = randomBytes(ivLength)
  const sealing = createCipheriv(cipher, key, iv)
  const sealed = Buffer.concat([sealing.update(text, 'utf8'), sealing.final()])
  return Buffer.concat([iv, sealing.getAuthTag(), sealed])
}

/** The text of news, or undefined where it was not sealed with `key`. */
export function unseal(sealed: Buffer, key: Buffer): string | undefined {
  const [iv, tag] = [sealed.subarray(0, ivLength), sealed.subarray(ivLength, ivLength + tagLength)]
  if (tag.length < tagLength) return undefined
  const opening = createDecipheriv(cipher, key, iv, { authTagLength: tagLength }).setAuthTag(tag)
  try {
    return Buffer.concat([opening.update(sealed.subarray(ivLength + tagLength)), opening.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

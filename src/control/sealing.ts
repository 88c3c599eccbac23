import { createCipheriv, createDecipheriv } from 'node:crypto'

const cipher = 'aes-256-gcm'
/** Bytes of what AES-GCM takes and gives, as usual. */
const [ivLength, tagLength] = [12, 16]

/**
 * One direction of a channel: what one end seals, the other one opens, in the same order. The number of
 * each frame is a part of it, so that none can be left out, put in or sent again.
 */
export class Sealing {
  readonly #key: Buffer
  readonly #iv = Buffer.alloc(ivLength)
  #count = 0n

  /** @param key 32 bytes that nothing else was sealed with */
  constructor(key: Buffer) {
    this.#key = key
  }

  /** The text in AES-GCM, and its tag. */
  seal(text: Buffer): Buffer {
    const sealing = createCipheriv(cipher, this.#key, this.#nextIv(), { authTagLength: tagLength })
    const sealed = sealing.update(text)
    sealing.final()
    return Buffer.concat([sealed, sealing.getAuthTag()])
  }

  /** The text of what the other end has sealed, or undefined for anything else. */
  open(frame: Buffer): Buffer | undefined {
    if (frame.length < tagLength) return undefined
    const opening = createDecipheriv(cipher, this.#key, this.#nextIv(), { authTagLength: tagLength })
    opening.setAuthTag(frame.subarray(frame.length - tagLength))
    const text = opening.update(frame.subarray(0, frame.length - tagLength))
    try {
      opening.final()
    } catch {
      return undefined
    }
    return text
  }

  #nextIv(): Buffer {
    this.#iv.writeBigUInt64BE(this.#count++, ivLength - 8)
    return this.#iv
  }
}

import { describe, expect, it } from 'vitest'
import { withIoTimeout } from '../../src/util/io-timeout.ts'

const late = (): Error => new Error('no answer')

describe('answered', () => {
  it('gives what the operation gives', async () => {
    expect(await withIoTimeout(Promise.resolve(7), 1_000, late)).toBe(7)
  })

  it('fails as the operation fails', async () => {
    await expect(withIoTimeout(Promise.reject(new Error('EIO')), 1_000, late)).rejects.toThrow('EIO')
  })

  it('gives an operation up that takes too long, and bears its failure later', async () => {
    let fail!: (error: Error) => void
    const operation = new Promise((_, reject) => (fail = reject))
    await expect(withIoTimeout(operation, 1, late)).rejects.toThrow('no answer')
    fail(new Error('EIO, after all'))
    await expect(operation).rejects.toThrow('EIO')
  })

  it('gives an operation up when the signal aborts, with its reason', async () => {
    const stop = new AbortController()
    const waiting = withIoTimeout(new Promise(() => undefined), 60_000, late, stop.signal)
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(withIoTimeout(new Promise(() => undefined), 60_000, late, stop.signal)).rejects.toThrow('enough')
  })
})

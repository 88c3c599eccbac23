import { describe, expect, it } from 'vitest'
import { Inbox } from '../../src/dask/inbox.ts'

const late = (): Error => new Error('late')

describe('Inbox', () => {
  it('gives messages in their order, to those who wait in theirs', async () => {
    const inbox = new Inbox()
    inbox.put(1)
    inbox.put(2)
    const read = Array.from({ length: 4 }, () => inbox.next(10_000, late))
    inbox.put(3)
    inbox.put(4)
    expect(await Promise.all(read)).toEqual([1, 2, 3, 4])
    expect(inbox.size).toBe(0)
  })

  it('forgets who has given up, so that the message goes to the next', async () => {
    const inbox = new Inbox()
    const gone = new AbortController()
    const outcomes = Promise.allSettled([
      inbox.next(1, late),
      inbox.next(10_000, late, gone.signal),
      inbox.next(10_000, late),
    ])
    gone.abort(new Error('gone'))
    await expect(inbox.next(20, late)).rejects.toThrow('late')
    inbox.put('message')
    expect((await outcomes).map((each) => (each.status === 'fulfilled' ? each.value : String(each.reason)))).toEqual([
      'Error: late',
      'Error: gone',
      'message',
    ])
  })

  it('gives what has come before its failure, and then the failure', async () => {
    const inbox = new Inbox()
    inbox.put(1)
    inbox.fail(new Error('first'))
    inbox.fail(new Error('second'))
    expect(await inbox.next(10_000, late)).toBe(1)
    await expect(inbox.next(10_000, late)).rejects.toThrow('first')
  })

  it('gives nothing to whom has aborted before', async () => {
    const inbox = new Inbox()
    inbox.put(1)
    await expect(inbox.next(10_000, late, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
    expect(inbox.size).toBe(1)
  })
})

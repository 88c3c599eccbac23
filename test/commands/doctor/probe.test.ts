import { expect, it, vi } from 'vitest'
import { Probes } from '../../../src/commands/doctor/probe.ts'
import { deferred } from '../../../src/util/deferred.ts'

it('what an attempt has made is gone before the end, also if it was cut off', async () => {
  const ending = new AbortController()
  const probes = new Probes(ending.signal)
  const removed = deferred<undefined>()
  const attempt = probes.attempt('publish a file', async () => await removed.promise)
  ending.abort(new Error('The doctor has gone'))
  await expect(attempt).rejects.toThrow('The doctor has gone')
  const done = vi.fn()
  const tidied = probes.tidied().then(done)
  await new Promise((next) => setImmediate(next))
  expect(done).not.toHaveBeenCalled()
  removed.resolve(undefined)
  await tidied
  expect(done).toHaveBeenCalled()
})

import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { type PublishedFile, withoutShownSecret } from '../../src/record/scheduler-file.ts'

test('what prints a record does not show its secret, which is there all the same', () => {
  const control = { addresses: ['10.0.0.1'], port: 5, network: 'b' }
  const record = { version: 1, run_key: 'k', nonce: 'n', host: 'h', pid: 1, control, secret: 'hidden', n_workers: 2 }
  const file = { type: 'Scheduler', id: 'i', address: 'tcp://10.0.0.1:1', dask_hpc_runner: record } as PublishedFile
  const shown = withoutShownSecret(file)
  for (const text of [
    inspect(shown, { depth: 9 }),
    JSON.stringify(shown),
    inspect({ ...shown }),
    String(Object.entries(shown)),
  ])
    expect(text).not.toContain('hidden')
  expect(shown.dask_hpc_runner.secret).toBe('hidden')
  expect(JSON.stringify(file)).toContain('hidden')
})

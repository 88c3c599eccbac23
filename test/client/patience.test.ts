import { expect, test } from 'vitest'
import { patienceOf } from '../../src/client/patience.ts'
import { findTarget } from '../../src/client/target.ts'
import { clientPatience } from '../../src/python/take-client-process.ts'

const runner = { schedulerAddress: 'tcp://10.0.0.1:8786', [clientPatience]: 240_000 }
const connect = 'DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT'

test("a runner's client tries as long as the run's rendezvous may take, unless the user lets Dask's clients try for another time", async () => {
  const { patience } = await findTarget(runner, {})
  expect(patienceOf(patience, {})).toBe(240_000)
  expect(patienceOf(patience, { [connect]: '45s' })).toBe(45_000)
  // What Dask alone can read.
  expect(patienceOf(patience, { [connect]: '1 minute' })).toBe(240_000)
})

test('the client of a client program tries as long as its run lets it, another for 30 s', async () => {
  const { patience } = await findTarget('tcp://10.0.0.1:8786', {})
  expect(patienceOf(patience, { [connect]: '300s', DASK_HPC_RUNNER_N_WORKERS: '2' })).toBe(300_000)
  expect(patienceOf(patience, { [connect]: '300s' })).toBe('30s')
})

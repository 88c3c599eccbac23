import { expect, test } from 'vitest'
import { takeEnvironment } from '../../src/spread/orders.ts'

test('a rank takes the variables of spread, but those of its host, and what it has of its own', () => {
  const env = { HOSTNAME: 'n2', TMPDIR: '/local', KEPT: '1' }
  takeEnvironment({ HOSTNAME: 'n1', TMPDIR: '/of-n1', TMP: '/tmp', MINE: '2' }, env)
  expect(env).toEqual({ HOSTNAME: 'n2', TMPDIR: '/local', TMP: '/tmp', KEPT: '1', MINE: '2' })
})

test('who a rank is says spread alone, whatever variables a site has for other launchers', () => {
  const env = { DASK_HPC_RUNNER_SIZE_FROM: 'SITE_SIZE' }
  takeEnvironment({ DASK_HPC_RUNNER_RANK: '3', DASK_HPC_RUNNER_RANK_FROM: 'X', DASK_HPC_RUNNER_SPREAD_RANK: '1' }, env)
  expect(env).toEqual({ DASK_HPC_RUNNER_SPREAD_RANK: '1' })
})

import { expect, test } from 'vitest'
import { formatCluster } from '../../src/commands/stop.ts'

test('a cluster is named by its scheduler, workers and run, without control characters', () => {
  const cluster = { address: 'tcp://10.0.0.1:1', id: 'S', workers: 2, runKey: 'sim-7\n\u001b[2J.0-r0' }
  expect(formatCluster(cluster)).toBe(
    'the scheduler at tcp://10.0.0.1:1 and 2 workers of run sim-7\\u000a\\u001b[2J.0-r0',
  )
})

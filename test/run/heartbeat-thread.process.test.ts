import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import type { HeartbeatOrders } from '../../src/run/heartbeat-thread.ts'
import { forOwnProcess } from '../../src/util/own-process.ts'
import { recordOf } from '../control/support.ts'
import { program } from '../support/cluster.ts'
import { closedPort } from '../support/connections.ts'

it('ends a body that spins where rank 0 has ended before the thread could connect', async () => {
  const orders: HeartbeatOrders = {
    rank: 2,
    lostAfter: 60_000,
    patience: 50,
    record: await recordOf(closedPort),
    prefix: '[2 client]',
  }
  const options = { argv: ['heartbeat'], workerData: orders, env: forOwnProcess({}), execArgv: [] }
  const body = `new (require('node:worker_threads').Worker)(${JSON.stringify(program)}, ${JSON.stringify(options)}); for (;;);`
  const { signal, stderr } = spawnSync(process.execPath, ['-e', body], { encoding: 'utf8', timeout: 60_000 })
  expect(stderr).toBe('[2 client] error: the run is over and the program does not end: it is killed\n')
  expect(signal).toBe('SIGKILL')
})

import { expect, test } from 'vitest'
import { completeOptions, type RunnerOptions } from '../../src/options.ts'
import { logDashboard, logOpenPorts } from '../../src/run/start-message.ts'

test("a run says where Dask's own Jupyter server is, also without a dashboard", async () => {
  const said: string[] = []
  const run = {
    logger: { info: (text: string) => said.push(text) },
    options: completeOptions({ jupyter: true, dashboard: false }),
    identity: { nodes: 1 },
  }
  await logDashboard({ address: 'tcp://127.0.0.1:8786', services: { dashboard: 4711 } } as never, run as never)
  expect(said).toEqual(['Jupyter at http://127.0.0.1:4711/jupyter/lab: whoever reaches this port runs code as you'])
})

test('a run of one host whose scheduler is on loopback says what else is open', async () => {
  const of = async (given: RunnerOptions): Promise<readonly string[]> => {
    const said: string[] = []
    const run = {
      logger: { info: (text: string) => said.push(text) },
      options: completeOptions(given),
      identity: { nodes: 1 },
    }
    await logOpenPorts({ address: 'tcp://127.0.0.1:8786' } as never, run as never)
    return said
  }
  const open = 'ports of Dask are open to everybody who reaches this network:'
  expect(await of({})).toEqual([])
  expect(await of({ listenAddress: 'tcp://0.0.0.0:9000' })).toEqual([
    `${open} workers, dashboards of the workers; --secure closes them`,
  ])
  expect(await of({ listenAddress: 'tcp://:9000', nanny: true, protocol: 'tls' })).toEqual([
    `${open} dashboards of the workers; --secure closes them`,
  ])
  expect(await of({ listenAddress: 'tcp://127.0.0.1:9000' })).toEqual([])
  expect(await of({ dashboardAddress: '0.0.0.0:0' })).toEqual([`${open} dashboard; --secure closes them`])
  expect(await of({ dashboardAddress: '0.0.0.0:0', secure: true })).toEqual([`${open} dashboard`])
})

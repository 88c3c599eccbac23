import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkDashboard, dashboardUrl, tunnelCommand, tunnelledUrl } from '../../src/dask/dashboard.ts'

/** URL of a page that a server of this test answers. */
async function served(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/status`
}

describe('the URL of a dashboard', () => {
  it.each([
    ['tcp://10.0.0.1:8786', 'http://10.0.0.1:8787/status'],
    ['tls://node3.cluster:8786', 'http://node3.cluster:8787/status'],
    ['tcp://[fd00::3]:8786', 'http://[fd00::3]:8787/status'],
    ['ucx://10.0.0.1:8786', 'http://10.0.0.1:8787/status'],
  ])('of a scheduler at %s', (address, url) => {
    expect(dashboardUrl({ address, services: { dashboard: 8787 } })).toBe(url)
  })

  it('is below the prefix that the run has given it, through a tunnel as well', () => {
    const dask_hpc_runner = { dashboard_prefix: '/my/dask' }
    const url = dashboardUrl({ address: 'tcp://10.0.0.1:8786', services: { dashboard: 80 }, dask_hpc_runner })
    expect(url).toBe('http://10.0.0.1:80/my/dask/status')
    expect(tunnelledUrl(url ?? '')).toBe('http://localhost:8787/my/dask/status')
  })

  it.each([[undefined], [null], [{}], [{ dashboard: null }], [{ dashboard: 'x' }], [{ dashboard: 70_000 }]])(
    'is none where the services are %j',
    (services) => {
      expect(dashboardUrl({ address: 'tcp://10.0.0.1:8786', services })).toBeUndefined()
    },
  )
})

describe('checking a dashboard', () => {
  it('knows one that is there', async () => {
    const url = await served((request, response) =>
      response.writeHead(request.url === '/status' ? 200 : 404).end('<p>'),
    )
    expect(await checkDashboard(url)).toBe('there')
  })

  it("knows Dask's word of a missing bokeh", async () => {
    const page = '<p>Dask needs bokeh >= 2.4.2, < 3 for the dashboard.</p><p>Install with conda: …'
    expect(await checkDashboard(await served((_, response) => response.end(page)))).toBe('no-bokeh')
  })

  it('knows a scheduler that was started without one', async () => {
    expect(await checkDashboard(await served((_, response) => response.writeHead(404).end()))).toBe('off')
  })

  it('believes no error', async () => {
    expect(await checkDashboard(await served((_, response) => response.writeHead(502).end()))).toBe('unreachable')
    expect(await checkDashboard('http://127.0.0.1:1/status')).toBe('unreachable')
    expect(await checkDashboard('http://no such host/')).toBe('unreachable')
  })

  it('waits no longer than it may for one that says nothing, and reads no more than it needs', async () => {
    expect(await checkDashboard(await served(() => undefined), { timeout: 50 })).toBe('unreachable')
    const endless: RequestListener = (_, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(65_536)) && !response.closed);
      }
      response.on('drain', more)
      more()
    }
    expect(await checkDashboard(await served(endless))).toBe('there')
  })

  it('ends with the signal', async () => {
    const ending = new AbortController()
    const answer = checkDashboard(await served(() => undefined), { timeout: 60_000, signal: ending.signal })
    ending.abort()
    expect(await answer).toBe('unreachable')
  })
})

describe('the tunnel to a dashboard', () => {
  it('goes through the host from which the job was submitted', () => {
    const command = tunnelCommand('http://10.0.0.1:41234/status', { login: 'login1', home: 'node0' })
    expect(command).toBe('ssh -N -L 8787:10.0.0.1:41234 -- login1')
  })

  it('leaves the host to the user where it is not known', () => {
    const command = tunnelCommand('http://[fd00::3]:41234/status', { home: 'node0' })
    expect(command).toBe("ssh -N -L '8787:[fd00::3]:41234' -- '<login node>'")
  })

  it("goes to the scheduler's own host where it listens on loopback", () => {
    const command = tunnelCommand('http://127.0.0.1:41234/status', { login: 'login1', home: 'laptop' })
    expect(command).toBe('ssh -N -L 8787:localhost:41234 -- laptop')
  })

  it('names the port that URLs leave out', () => {
    expect(tunnelCommand('http://10.0.0.1:80/status', { login: 'l', home: 'h' })).toBe(
      'ssh -N -L 8787:10.0.0.1:80 -- l',
    )
  })

  it.each([
    '-oProxyCommand=touch',
    "node0'; touch x; '",
    'node0 touch',
    'node0;x',
    '$(x)',
    'node0\n',
    'user@node0',
    '',
    'node..0',
    '.',
  ])('is none through what is no host: %j', (host) => {
    expect(tunnelCommand('http://127.0.0.1:1/status', { home: host })).toBe(null)
    expect(tunnelCommand('http://10.0.0.1:1/status', { home: 'h', login: host })).toBe(null)
  })

  it.each(['node-1.cluster.example.org', 'fd00::3', '10.0.0.1', 'login_1'])('goes through %s', (host) => {
    expect(tunnelCommand('http://10.0.0.1:1/status', { home: 'h', login: host })).toBe(
      `ssh -N -L 8787:10.0.0.1:1 -- ${host}`,
    )
  })
})

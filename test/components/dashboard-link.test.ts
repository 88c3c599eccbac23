import { describe, expect, it } from 'vitest'
import { dashboardLink } from '../../src/components/dashboard-link.ts'
import { completeOptions, type RunnerOptions } from '../../src/options.ts'

const onDemand = { host: 'node1.cluster.edu', port: '41234', 'BASH_FUNC_source_helpers%%': '() {  :; }' }
const hub = { JUPYTERHUB_SERVICE_PREFIX: '/user/me/' }

/** The link of a run with these options, whose scheduler is on node3. */
function link(options: RunnerOptions, { address = 'tcp://10.0.0.3:8786', hasOwn = false, isKnown = true } = {}) {
  return dashboardLink({
    options: completeOptions({ env: {}, ...options }),
    ...{ schedulerAddress: address, node: 'node3', hasOwn: isKnown ? hasOwn : undefined },
  })
}

const loopback = { address: 'tcp://127.0.0.1:8786' }

describe('the link to the dashboard', () => {
  it("is left to Dask where nothing is known of the site's proxy", () => {
    expect(link({})).toBeUndefined()
    // Variables of these names alone are nobody's in particular.
    expect(link({ env: { host: 'x', port: '1' } })).toBeUndefined()
    expect(link({ env: { JUPYTERHUB_SERVICE_PREFIX: '' } })).toBeUndefined()
  })

  it("goes through JupyterHub's proxy, to this host and to others", () => {
    const proxied = '{JUPYTERHUB_SERVICE_PREFIX}proxy/{host}:{port}/status'
    expect(link({ env: hub })).toBe(proxied)
    expect(link({ env: hub }, loopback)).toBe(proxied)
  })

  it("goes through Open OnDemand's proxy, to the name of the host as that knows it", () => {
    expect(link({ env: onDemand })).toBe('/rnode/node3.cluster.edu/{port}/status')
    expect(link({ env: { ...onDemand, host: 'node1' } })).toBe('/rnode/node3/{port}/status')
    // That proxy does not reach what is on loopback.
    expect(link({ env: onDemand }, loopback)).toBeUndefined()
  })

  it('goes through no proxy to the dashboard of a secure run of several hosts, which is on loopback', () => {
    expect(link({ env: hub, secure: true })).toBeUndefined()
    expect(link({ env: onDemand, secure: true })).toBeUndefined()
    expect(link({ env: hub, secure: true }, { address: 'tls://127.0.0.1:8786' })).toContain('proxy/')
  })

  it('is that of --dashboard-link, with the name of the host, whatever the site says', () => {
    const dashboardLinkOf = 'https://portal/{node}/{host}/{port}{JUPYTERHUB_SERVICE_PREFIX}status'
    expect(link({ env: { ...hub, ...onDemand }, dashboardLink: dashboardLinkOf })).toBe(
      'https://portal/node3/{host}/{port}{JUPYTERHUB_SERVICE_PREFIX}status',
    )
  })

  it('has the prefix of the dashboard, in that of Dask too', () => {
    expect(link({ env: hub, dashboardPrefix: 'dask' })).toContain('{port}/dask/status')
    expect(link({ env: onDemand, dashboardPrefix: 'dask' })).toContain('{port}/dask/status')
    expect(link({ dashboardPrefix: 'dask' })).toBe('{scheme}://{host}:{port}/dask/status')
  })

  it("is the user's own where his configuration of Dask has one", () => {
    expect(link({ env: hub, dashboardLink: 'https://x/' }, { hasOwn: true })).toBeUndefined()
  })

  it('is only what the user says where his configuration is not known', () => {
    expect(link({ env: hub, dashboardPrefix: 'dask' }, { isKnown: false })).toBeUndefined()
    expect(link({ env: hub, dashboardLink: 'https://x/' }, { isKnown: false })).toBe('https://x/')
  })

  it('is none where there is no dashboard', () => {
    expect(link({ env: hub, dashboard: false })).toBeUndefined()
  })
})

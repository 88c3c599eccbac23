import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Cluster, programs, type Started } from '../support/cluster.ts'
import { pythons } from '../support/pythons.ts'

/** What `status --json` says of it. */
interface Dashboard {
  readonly url: string
  readonly state: string
  readonly tunnel: string
}

/** Starts a cluster, asks `status` of it, and stops it. */
async function startAndAsk(
  cluster: Cluster,
  python: string,
  more: readonly string[],
): Promise<{ run: Started; dashboard: Dashboard; text: string; page: string; asScheduler: Started }> {
  const file = ['--scheduler-file', 'F.json']
  const run = cluster.run(['local', '-n', '2', '--python', python, ...file, ...more])
  await cluster.run(['wait', ...file, '--workers', 'all']).expectStatus(0)
  const env = { SLURM_SUBMIT_HOST: 'login1' }
  const [json, text] = [cluster.run(['status', ...file, '--json'], env), cluster.run(['status', ...file], env)]
  await Promise.all([json.expectStatus(0), text.expectStatus(0)])
  const { dashboard } = JSON.parse(json.stdout) as { dashboard: Dashboard }
  const page = await (await fetch(dashboard.url)).text()
  const asScheduler = cluster.run(['status', '--scheduler', `tcp://${new URL(dashboard.url).host}`])
  await asScheduler.ended
  await cluster.run(['stop', ...file]).expectStatus(0)
  await run.ended
  return { run, dashboard, text: text.stdout, page, asScheduler }
}

describe.for(pythons())('with %s', ([, command]) => {
  const python = command ?? ''

  test.skipIf(command === undefined)(
    'a dashboard that is there has its URL, below its prefix, and its tunnel',
    async () => {
      await using cluster = await Cluster.make()
      const preload = ['--preload', join(programs, 'dashboard_page.py'), '--preload-argv', '--path /my/dask/status']
      const prefix = ['--dashboard-prefix', 'my/dask']
      const { run, dashboard, text, page, asScheduler } = await startAndAsk(cluster, python, [...preload, ...prefix])
      const { url, state, tunnel } = dashboard
      expect(page).toContain('Dask: Status')
      expect(state).toBe('there')
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/my\/dask\/status$/)
      expect(tunnel).toMatch(/^ssh -N -L 8787:localhost:\d+ -- \S+$/)
      const local = '           and then http://localhost:8787/my/dask/status\n'
      expect(text).toContain(`dashboard  ${url}\n           from your own machine: ${tunnel}\n${local}`)
      expect(run.stderr).toContain(`dashboard at ${url}: ${tunnel}`)
      await asScheduler.expectStatus(69)
      expect(asScheduler.stderr).toContain('a web server answers there; Dask has another port for its scheduler')
      await cluster.expectNothingLeft()
    },
  )

  test.skipIf(command === undefined)("Dask's own word is believed where it has no bokeh", async () => {
    await using cluster = await Cluster.make()
    const { run, dashboard, text, page } = await startAndAsk(cluster, python, [])
    // Not where the Python of the tests has it.
    const there = !page.includes('needs bokeh')
    expect(dashboard.state).toBe(there ? 'there' : 'no-bokeh')
    expect(text.includes('install bokeh in the scheduler')).toBe(!there)
    expect(run.stderr.includes('no dashboard: the Python of the scheduler has no bokeh')).toBe(!there)
    await cluster.expectNothingLeft()
  })
})

import { readFile, stat, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { formatReport } from '../../src/report/write-report.ts'
import { Browser } from '../support/browser.ts'
import { Cluster } from '../support/cluster.ts'
import { exampleReport, goodReport, hostile } from './support/example-report.ts'

const chromium = process.env.DASK_HPC_RUNNER_TEST_CHROMIUM

describe('dask-hpc-runner report', () => {
  it('makes a page beside the report, or elsewhere, and replaces no other file', async () => {
    await using cluster = await Cluster.make()
    for (const name of ['run.json', 'run.html', 'other.page', 'mine.html']) cluster.expectFile(name)
    await writeFile(cluster.path('run.json'), formatReport(goodReport))
    await writeFile(cluster.path('mine.html'), '<!doctype html>')
    const run = async (status: number, ...args: readonly string[]) => {
      const started = cluster.run(['report', ...args])
      await started.expectStatus(status)
      return started
    }
    for (let time = 0; time < 2; time++) expect((await run(0, 'run.json')).stdout).toBe('run.html\n')
    await run(0, 'run.json', '--output', 'other.page')
    const [beside, other] = await Promise.all(
      ['run.html', 'other.page'].map(async (name) => await readFile(cluster.path(name), 'utf8')),
    )
    expect(other).toBe(beside)
    expect((await stat(cluster.path('run.html'))).mode & 0o777).toBe(0o600)
    const [refused, nothing, page] = await Promise.all([
      run(74, 'run.json', '--output', 'mine.html'),
      run(64, 'nothing.json'),
      run(64, 'run.html'),
    ])
    expect(refused.stderr).toMatch(
      /error: Cannot write the page "mine.html": what stands there is no report, and is left alone\n$/,
    )
    expect(nothing.stderr).toMatch(/error: Cannot read the report "nothing.json": there is no such file/)
    expect(page.stderr).toContain('Cannot read the report "run.html": it is a page already')
    await cluster.expectNothingLeft()
  })
})

describe.skipIf(chromium === undefined)('the page in a real browser', () => {
  it('is shown by day and by night without an error, and asks for nothing', async () => {
    await using cluster = await Cluster.make()
    for (const name of ['run.json', 'run.html']) cluster.expectFile(name)
    await writeFile(cluster.path('run.json'), formatReport(exampleReport))
    await cluster.run(['report', 'run.json']).expectStatus(0)
    await using browser = await Browser.start(chromium ?? '')
    const papers: unknown[] = []
    for (const isDark of [false, true]) {
      const { console, requests } = await browser.open(cluster.path('run.html'), { isDark, width: 390 })
      expect(console).toEqual([])
      // The icon is in the page itself.
      expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([`file://${cluster.path('run.html')}`])
      expect(await browser.evaluate('document.title')).toBe('Run slurm-cluster-4711.0-r0: status 69')
      const text = String(await browser.evaluate('document.body.innerText'))
      expect(text).toContain('48 GiB a worker booked, 9 GiB the highest seen (worker 2 on node2).')
      expect(text).toContain(`MemoryError: ${hostile}`)
      // The page is as wide as the phone: only tables scroll.
      expect(await browser.evaluate('document.documentElement.scrollWidth')).toBe(390)
      papers.push(await browser.evaluate('getComputedStyle(document.body).backgroundColor'))
    }
    expect(papers).toEqual(['rgb(255, 255, 255)', 'rgb(18, 22, 28)'])
    // What a screen reader is told.
    const { nodes } = await browser.ask('Accessibility.getFullAXTree')
    const told = (nodes as AxNode[])
      .filter(({ ignored }) => !ignored)
      .map(({ role, name }) => `${role?.value ?? ''}: ${name?.value ?? ''}`)
    for (const each of [
      'heading: Booked and needed',
      'image: Memory of the workers over the time of the run used: 9 GiB at most',
    ])
      expect(
        told.some((said) => said.startsWith(each)),
        each,
      ).toBe(true)
    expect(told.filter((each) => each.startsWith('table: ')).length).toBeGreaterThan(1)
    await cluster.expectNothingLeft()
  })
})

/** Of the tree of what a page is for a screen reader. */
interface AxNode {
  readonly ignored: boolean
  readonly role?: { readonly value: string }
  readonly name?: { readonly value: string }
}

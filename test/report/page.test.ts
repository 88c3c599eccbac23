import { describe, expect, it } from 'vitest'
import type { RunReport } from '../../src/record/run-report.ts'
import { drawChart } from '../../src/report/chart.ts'
import { Html, markup } from '../../src/report/html.ts'
import { formatEnding, formatPage, isReportPage } from '../../src/report/page.ts'
import { exampleRecording, exampleReport, goodReport, hostile } from './support/example-report.ts'

/** Every element of a page that is not one that we write ourselves, and every attribute that could do something. */
const ours = new Set(
  'html head meta link title style body main h1 h2 h3 p dl dt dd time section figure svg desc g path text circle rect ul li details summary div table caption thead tbody tr th td pre ol b span footer br'.split(
    ' ',
  ),
)

function elementsOf(page: string): ReadonlySet<string> {
  return new Set([...page.matchAll(/<([a-zA-Z]\w*)/g)].map(([, name = '']) => name))
}

/** The names of all attributes: no value has a quotation mark or an angle bracket in it. */
function attributesOf(page: string): readonly string[] {
  const tags = [...page.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replaceAll(/="[^"]*"/g, ''))
  return tags.flatMap((tag) => tag.slice(1, -1).split(/\s+/).slice(1))
}

/** The words of a page, without its elements. */
function wordsOf(page: string): string {
  return page
    .replace(/<style>[\s\S]*<\/style>/, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
}

describe('what others have said', () => {
  const page = formatPage(exampleReport)

  it('stands in the page as text, wherever it comes from', () => {
    expect([...elementsOf(page)].filter((name) => !ours.has(name))).toEqual([])
    expect(attributesOf(page).filter((name) => /^on|style/.test(name))).toEqual([])
    expect(page.split('&quot;&gt;&lt;script&gt;').length).toBeGreaterThan(10)
  })

  it('has no control characters left', () => {
    expect(page).toContain('\\u001b[31mred\\u202e')
    expect(page).not.toMatch(/(?![\n\t])\p{Cc}|\u202e/u)
  })

  it('is escaped in every place of a report that is a text', () => {
    const texts = (value: unknown): unknown =>
      typeof value === 'string'
        ? hostile
        : Array.isArray(value)
          ? value.map(texts)
          : typeof value === 'object' && value !== null
            ? Object.fromEntries(
                Object.entries(value).map(([name, each]) => [name, name === 'level' ? each : texts(each)]),
              )
            : value
    const attack = texts({ ...exampleReport, began: 0, ended: 0 }) as RunReport
    const { began, ended } = exampleReport
    const attacked = formatPage({ ...attack, began, ended, recording: { ...exampleRecording, ...attack.recording } })
    expect([...elementsOf(attacked)].filter((name) => !ours.has(name))).toEqual([])
    expect(attributesOf(attacked).filter((name) => /^on|style/.test(name))).toEqual([])
  })

  it('is escaped once', () => {
    expect(
      markup`<b title="${`'"`}">${'<&>'}${[1, markup`<i>${'&amp;'}</i>`]}${undefined}${new Html('<u>')}</b>`.text,
    ).toBe('<b title="&#39;&quot;">&lt;&amp;&gt;1<i>&amp;amp;</i><u></b>')
  })
})

describe('a page', () => {
  it('says what was booked and what was needed', () => {
    const words = wordsOf(formatPage(goodReport))
    expect(words).toContain('48 GiB a worker booked, 9 GiB the highest seen (worker 2 on node2).')
    expect(words).toContain('With 15 GiB a worker Dask would have had no reason to spill')
    expect(words).toContain('Of 8 CPUs of the workers 1.4 were in use on average, 3.5 at most.')
    expect(words).toContain('1000 tasks finished, and 1 failed.')
    expect(words).toMatch(/Memory of a worker 48 GiB 9 GiB 19 %/)
    expect(words).toMatch(/Memory of all workers 96 GiB 9 GiB 5.7 GiB 9 %/)
  })

  it('tells a screen reader what a chart shows, and has its numbers as a table', () => {
    const page = formatPage(goodReport)
    const charts = page.match(/<svg role="img"[\s\S]*?<\/svg>/g) ?? []
    expect(charts.length).toBe(5 + 2 * 2)
    for (const chart of charts) {
      const [, title = '', desc = ''] = /aria-labelledby="(\S+) (\S+)"/.exec(chart) ?? []
      expect(chart).toMatch(
        new RegExp(`<title id="${title}">[^<]+</title>\\s*<desc id="${desc}">[^<]+(at most|all the time)[^<]*</desc>`),
      )
    }
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [table] of page.matchAll(/<table>[\s\S]*?<\/table>/g))
      expect(table).toMatch(/<caption>[^<]+<\/caption>\s*<thead><tr><th scope="col"[\s\S]*<th scope="row">/)
  })

  it('says of how many samples its table of numbers has one', () => {
    const at = Array.from({ length: 60 }, (_, i) => i)
    const line = { name: 'used', look: 'one', curve: { mean: at } } as const
    const chart = drawChart({ id: 'x', title: 'X', unit: 'count', lines: [line], at, end: 60 })
    expect(wordsOf(chart?.text ?? '')).toContain('X, one sample of 3: the highest in it')
  })

  it('loads nothing and runs nothing', () => {
    const page = formatPage(exampleReport)
    expect(page).not.toMatch(/<script|<iframe|@import|url\(/)
    expect([...page.matchAll(/\b(?:href|src)="([^"]*)"/g)].map(([, to]) => to)).toEqual(['data:,'])
  })

  it('breaks a line where nothing was seen', () => {
    const [, network = ''] = /id="network"([\s\S]*?)<\/figure>/.exec(formatPage(goodReport)) ?? []
    const [, path = ''] = /class="line one" d="(M[\d.LM ]+)"/.exec(network) ?? []
    expect(path.match(/M/g)?.length).toBe(2)
  })

  it('is made of a report without curves, and of one whose rank 0 was lost', () => {
    const nothing = { taken: 0, at: [], cluster: {}, hosts: [] }
    const early = {
      ...exampleReport,
      recording: { ...exampleRecording, samples: nothing, workers_seen: [], events: [] },
    }
    expect(wordsOf(formatPage(early))).toContain('The scheduler has answered no question of this report.')
    const { recording: _, ...lost } = exampleReport
    expect(wordsOf(formatPage(lost))).toContain('Rank 0 was lost')
  })

  it('stays short, whatever the number of ranks, hosts and workers', () => {
    const many = <T>(one: T | undefined, n: number): T[] => Array.from({ length: n }, () => one as T)
    const recording = {
      ...exampleRecording,
      ranks: Array.from({ length: 10_000 }, (_, rank) => ({ ...exampleRecording.ranks[2], rank })),
      workers_seen: many(exampleRecording.workers_seen[0], 10_000).map((worker, i) => ({
        ...worker,
        host: `node${i}`,
      })),
      samples: { ...exampleRecording.samples, hosts: many(exampleRecording.samples.hosts[0], 64) },
    } as typeof exampleRecording
    const page = formatPage({ ...goodReport, recording })
    expect(page.length).toBeLessThan(400_000)
    expect(page).toContain('and 9,900 more ranks')
    expect(page).toContain('and 9,800 more workers')
  })

  it('is known again, and nothing else is taken for one', () => {
    expect(isReportPage(formatPage(goodReport))).toBe(true)
    expect(isReportPage('<!doctype html>\n<html>')).toBe(false)
  })
})

it.each([
  [{ status: 0 }, 'The run ended well after 21.4 s, with status 0.'],
  [{ status: 3 }, 'The run ended after 21.4 s with status 3, which is that of its program.'],
  [{ status: 143 }, 'The run ended after 21.4 s with status 143, as by SIGTERM.'],
  [{ status: 0, ended: '2026-12-01T13:04:05.000Z' }, 'The run ended well after 2 d 3 h, with status 0.'],
  [{ status: 69, failure: { message: 'Lost rank 2' } }, 'The run failed after 21.4 s, with status 69: Lost rank 2.'],
])('says in a sentence how a run ended: %o', (how, sentence) => {
  expect(formatEnding({ ...goodReport, ...how } as RunReport)).toBe(sentence)
})

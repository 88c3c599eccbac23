import { createHash } from 'node:crypto'
import { constants } from 'node:os'
import { formatVersions } from '../record/cluster-record.ts'
import type { Recording, ReportedEvent, RunReport } from '../record/run-report.ts'
import { formatCount } from '../util/format.ts'
import { drawBooked } from './booked.ts'
import { drawCharts } from './charts.ts'
import { type Content, Html, markup } from './html.ts'
import { style } from './style.ts'
import { drawTimeline } from './timeline.ts'
import { formatSpan } from './words.ts'

/** How a page of ours begins. */
const beginning = '<!doctype html>\n<!-- A report of dask-hpc-runner -->\n'

/** Whether a text is that of a page, which another one may replace. */
export function isReportPage(text: string): boolean {
  return text.startsWith(beginning)
}

/** The report of a run as a page: one file, without scripts, which loads nothing from elsewhere. */
export function formatPage(report: RunReport): string {
  // Were something of the others not escaped, a browser would still not run it.
  const hash = createHash('sha256').update(style).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`
  const page = markup`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Run ${report.run_key}: status ${report.status}</title>
<style>${new Html(style)}</style>
</head>
<body>
<main>
<h1>Run ${report.run_key}</h1>
<p class="ending${report.status === 0 ? '' : ' bad'}">${formatEnding(report)}</p>
${facts(report)}
${cause(report)}${whatWasSeen(report)}</main>
<footer>${footer(report.recording)}</footer>
</body>
</html>
`
  return beginning + page.text
}

function whatWasSeen(report: RunReport): Html {
  const { recording } = report
  if (recording === undefined)
    return section('Seen', markup`<p>Rank 0 was lost, and with it what it had seen of the run.</p>`)
  const end = spanOf(report)
  const isAnswered = recording.samples.taken > 0
  const nothing = markup`<p>The scheduler has answered no question of this report.</p>\n`
  return markup`${section('Booked and needed', isAnswered ? drawBooked(recording) : nothing)}${
    isAnswered ? section('Curves', drawCharts(recording, end)) : undefined
  }${section('Ranks', drawTimeline(recording, end))}${
    recording.events.length === 0 ? undefined : section('What happened', drawEvents(recording))
  }`
}

function section(title: string, content: Content): Html {
  const id = title.toLowerCase().replaceAll(' ', '-')
  return markup`<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
${content}</section>
`
}

function facts(report: RunReport): Html {
  const { began, ended, processes, workers, recording, scheduler_address, scheduler_file } = report
  const hosts = new Set(recording?.ranks.flatMap(({ host }) => host ?? [])).size
  const on = hosts === 0 ? '' : ` on ${formatCount(hosts, 'host')}`
  const of = workers === null ? '' : `, ${formatCount(workers, 'worker')}`
  const versions = recording?.versions ?? undefined
  const rows: readonly (readonly [string, Content])[] = [
    ['Began', time(began)],
    ['Ended', time(ended)],
    ['Processes', `${processes}${on}${of}`],
    ...(versions === undefined ? [] : [['Versions', formatVersions(versions)] as const]),
    ...(scheduler_address === null ? [] : [['Scheduler', scheduler_address] as const]),
    ['Scheduler file', scheduler_file],
  ]
  return markup`<dl>${rows.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>`
}

function time(iso: string): Html {
  return markup`<time datetime="${iso}">${iso.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')}</time>`
}

function cause({ failure, silent }: RunReport): Html | undefined {
  if (failure === null) return undefined
  const { rank, role, host, message, last_lines } = failure
  const where = rank < 0 ? '' : `In rank ${rank}${role === undefined ? '' : ` (${role})`} on ${host}.`
  const unheard = silent.length === 0 ? '' : ` Not heard any more: rank ${silent.join(', ')}.`
  const lines =
    last_lines.length === 0 ? undefined : markup`<p>Its last lines:</p>\n<pre>${last_lines.join('\n')}</pre>\n`
  return section('Cause', markup`<p>${message}</p>\n<p>${where}${unheard}</p>\n${lines}`)
}

const levels: Readonly<Record<ReportedEvent['level'], string>> = { info: '', warn: 'Warning: ', error: 'Error: ' }

function drawEvents({ events, events_left_out }: Recording): Html {
  const item = ({ at, level, text }: ReportedEvent): Html =>
    markup`<li><span class="at">${formatSpan(at)}</span><span><b>${levels[level]}</b>${text}</span></li>\n`
  const left = `${formatCount(events_left_out, 'event')} in the middle are left out.`
  return markup`<ol class="events">${events.map(item)}</ol>${events_left_out === 0 ? undefined : markup`<p>${left}</p>`}`
}

function footer(recording: Recording | undefined): string {
  const by = 'Written by dask-hpc-runner.'
  if (recording === undefined || recording.samples.taken === 0) return by
  const { taken, at } = recording.samples
  const merged =
    taken > at.length
      ? ` They were merged to ${at.length}: a line is their mean, the pale band their least and most.`
      : ''
  return (
    `${by} The scheduler was asked ${formatCount(taken, 'time')}.${merged} Memory and CPUs are those of the workers' own ` +
    'processes, by their last heartbeat: what was between two of them, or belongs to a process that a task has started, is not seen. ' +
    'The network is that of the hosts, of whichever program.'
  )
}

/** How long a run took, in seconds. */
function spanOf({ began, ended }: Pick<RunReport, 'began' | 'ended'>): number {
  return Math.max(0, Date.parse(ended) - Date.parse(began)) / 1_000
}

/** A sentence on how the run ended. */
export function formatEnding(report: Pick<RunReport, 'status' | 'failure' | 'began' | 'ended'>): string {
  const { status, failure } = report
  const span = formatSpan(spanOf(report))
  if (failure !== null) return `The run failed after ${span}, with status ${status}: ${failure.message}.`
  if (status === 0) return `The run ended well after ${span}, with status 0.`
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0]
  if (signal !== undefined) return `The run ended after ${span} with status ${status}, as by ${signal}.`
  return `The run ended after ${span} with status ${status}, which is that of its program.`
}

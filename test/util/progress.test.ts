import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ProgressLine } from '../../src/util/progress.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function shown(isTTY: boolean, columns = 80) {
  const written: string[] = []
  const stream = { isTTY, columns, write: (text: string) => written.push(text) }
  return { written, progress: new ProgressLine({ stream, prefix: 'us: ' }) }
}

describe('progress in a log', () => {
  it('says nothing of a wait that is over within ten seconds', () => {
    const { written, progress } = shown(false)
    progress.say('0 of 2 workers run')
    vi.advanceTimersByTime(9_999)
    progress.end()
    vi.advanceTimersByTime(60_000)
    expect(written).toEqual([])
  })

  it('is a line every ten seconds with the newest text, changed or not', () => {
    const { written, progress } = shown(false)
    progress.say('0 of 2 workers run')
    vi.advanceTimersByTime(5_000)
    progress.say('1 of 2 workers run')
    vi.advanceTimersByTime(15_000)
    expect(written).toEqual(['us: 1 of 2 workers run (10 s)\n', 'us: 1 of 2 workers run (20 s)\n'])
    progress.end()
  })

  it('goes where lines of a log go', () => {
    const lines: string[] = []
    const progress = new ProgressLine({ stream: { write: () => undefined }, log: (line) => lines.push(line) })
    progress.say('waiting')
    vi.advanceTimersByTime(10_000)
    expect(lines).toEqual(['waiting (10 s)'])
    progress.end()
  })
})

describe('progress on a terminal', () => {
  it('is one line that is rewritten, with the time from two seconds on', () => {
    const { written, progress } = shown(true)
    progress.say('waiting')
    progress.say('waiting')
    expect(written).toEqual(['\rus: waiting\u{1b}[K'])
    progress.say('1 runs')
    vi.advanceTimersByTime(3_000)
    expect(written.slice(1)).toEqual([
      '\rus: 1 runs\u{1b}[K',
      '\rus: 1 runs\u{1b}[K',
      '\rus: 1 runs (2 s)\u{1b}[K',
      '\rus: 1 runs (3 s)\u{1b}[K',
    ])
  })

  it('leaves an empty line at the end, once', () => {
    const { written, progress } = shown(true)
    progress.say('waiting')
    progress.end()
    progress.end()
    vi.advanceTimersByTime(10_000)
    expect(written.slice(1)).toEqual(['\r\u{1b}[K'])
  })

  it('has a bar of what is there already', () => {
    const { written, progress } = shown(true)
    progress.say('1 of 4 workers', 0.25)
    expect(written).toEqual([`\r[#####${'-'.repeat(15)}] us: 1 of 4 workers\u{1b}[K`])
    progress.end()
  })

  it('is a line every ten seconds, without escape sequences or a bar, where NO_COLOR is set', () => {
    vi.stubEnv('NO_COLOR', '1')
    const { written, progress } = shown(true)
    progress.say('1 of 4 workers', 0.25)
    vi.advanceTimersByTime(10_000)
    progress.end()
    expect(written).toEqual(['us: 1 of 4 workers (10 s)\n'])
    vi.unstubAllEnvs()
  })

  it('never breaks the line', () => {
    const { written, progress } = shown(true, 30)
    progress.say('x'.repeat(100))
    expect(written[0]).toBe(`\rus: ${'x'.repeat(24)}…\u{1b}[K`)
    progress.end()
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { build } from 'esbuild'
import { describe, expect, it, onTestFinished } from 'vitest'
import { forEachLine, forLines } from '../../src/process/output.ts'
import { deferred } from '../../src/util/deferred.ts'
import { eventually, temporaryDirectory } from './support/processes.ts'

async function linesOf(...chunks: (string | Buffer)[]): Promise<string[]> {
  const stream = new PassThrough()
  const lines: string[] = []
  forEachLine(stream, (line) => lines.push(line))
  for (const chunk of chunks) stream.write(chunk)
  stream.end()
  await once(stream, 'close')
  return lines
}

describe('forEachLine', () => {
  it('gives each line once, however it was cut into chunks', async () => {
    expect(await linesOf('one\ntwo\n\nth', 'ree\n')).toEqual(['one', 'two', '', 'three'])
  })

  it('gives an unfinished line at the end', async () => {
    expect(await linesOf('one\ntwo')).toEqual(['one', 'two'])
    expect(await linesOf('')).toEqual([])
  })

  it('takes CRLF for one line end, also where a chunk ends between the two', async () => {
    expect(await linesOf('one\r\ntwo\r', '\nth\rree\n')).toEqual(['one', 'two', 'th\rree'])
  })

  it('puts characters together that were split between chunks', async () => {
    const bytes = Buffer.from('zwölf €\n')
    const single = [...bytes].map((byte) => Buffer.of(byte))
    expect(await linesOf(...single)).toEqual(['zwölf €'])
  })

  it('passes an endless line on in pieces', async () => {
    const lines = await linesOf(...Array.from({ length: 40 }, () => 'x'.repeat(10_000)), 'end\nnext\n')
    expect(lines.join('')).toBe(`${'x'.repeat(400_000)}endnext`)
    expect(lines.at(-1)).toBe('next')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(100_000)
  })

  it('gives what was written byte for byte, where that is asked for', async () => {
    const written = Buffer.concat([
      Buffer.of(0xff, 0x80),
      Buffer.from('ä\r\n\n'),
      Buffer.from(`${'x'.repeat(100_000)}\rend`),
    ])
    const stream = new PassThrough()
    const all: string[] = []
    const take = (lines: readonly string[]): undefined => void all.push(...lines)
    forLines(stream, take, true)
    for (let at = 0; at < written.length; at += 7) stream.write(written.subarray(at, at + 7))
    stream.end()
    await once(stream, 'close')
    expect(Buffer.from(all.join(''), 'latin1').equals(written)).toBe(true)
    expect(all.slice(0, 2).map((line) => line.endsWith('\n'))).toEqual([true, true])
  })

  it('marks each piece of such a line that is for the log file alone', async () => {
    const lines = await linesOf('\u001e', ...Array.from({ length: 20 }, () => 'x'.repeat(10_000)), 'end\nnext\n')
    expect(lines.length).toBeGreaterThan(2)
    expect(lines.slice(0, -1).every((line) => line.startsWith('\u001e'))).toBe(true)
    expect(lines.at(-1)).toBe('next')
  })

  it('survives a stream that breaks', async () => {
    const stream = new PassThrough()
    const lines: string[] = []
    forEachLine(stream, (line) => lines.push(line))
    stream.write('one\ntw')
    await new Promise((next) => setImmediate(next))
    const closed = once(stream, 'close').catch(() => undefined)
    stream.destroy(new Error('broken'))
    await closed
    await new Promise((next) => setImmediate(next))
    expect(lines).toEqual(['one', 'tw'])
  })
})

describe('forLines', () => {
  it('gives lines together that have come together, and reads no more before they are taken', async () => {
    const stream = new PassThrough()
    const given: (readonly string[])[] = []
    const taken = deferred<undefined>()
    forLines(stream, (lines) => {
      given.push(lines)
      return given.length === 1 ? taken.promise.then(() => undefined) : undefined
    })
    stream.write('one\ntwo\nth')
    stream.write('ree\nfour\n')
    await new Promise((next) => setImmediate(next))
    expect(given).toEqual([['one', 'two']])
    taken.resolve(undefined)
    await eventually(
      () => given,
      [
        ['one', 'two'],
        ['three', 'four'],
      ],
      'the others are given',
    )
  })
})

it('has a component wait that prints faster than its output is read: memory is bounded, and nothing is lost', async () => {
  const outfile = join(temporaryDirectory(), 'slow-console.mjs')
  const entryPoints = [join(import.meta.dirname, 'fixtures/slow-console.ts')]
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', loader: { '.sh': 'text' } })
  const count = 500_000
  const printing = spawn(process.execPath, [outfile, String(count)], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void printing.kill('SIGKILL'))
  let told = ''
  printing.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()))
  await eventually(() => told, 'waits\n', 'it waits')
  const printed = await text(printing.stdout)
  expect(printed.length).toBe(count * ('[2 worker] '.length + 99))
  const kilobytes = Number(told.split('\n')[1])
  expect(kilobytes).toBeGreaterThan(10_000)
  expect(kilobytes).toBeLessThan(200_000)
})

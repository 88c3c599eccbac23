import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { forEachLine } from '../../src/process/output.ts'

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

import { encode } from '@msgpack/msgpack'
import { describe, expect, it } from 'vitest'
import { decodeMessage, encodeMessage } from '../../src/dask/codec.ts'
import { FrameReader, WireError } from '../../src/dask/frames.ts'
import { recordedExchange } from './support/recorded.ts'

const decode = (value: unknown): unknown => decodeMessage([encode(value)])

describe('encodeMessage', () => {
  it('writes the recorded exchange byte for byte', () => {
    const [handshake, , call] = recordedExchange()
    const ours = { compression: null, python: [3, 11, 2], 'pickle-protocol': 4 }
    expect(Buffer.from(encodeMessage(ours))).toEqual(handshake?.bytes)
    expect(Buffer.from(encodeMessage({ reply: true, op: 'identity' }))).toEqual(call?.bytes)
  })

  it('leaves out what is undefined', () => {
    expect(encodeMessage({ a: undefined, b: 1 })).toEqual(encodeMessage({ b: 1 }))
  })
})

describe('decodeMessage', () => {
  it('reads the recorded exchange', () => {
    const values = recordedExchange().map(({ bytes }) => decodeMessage(new FrameReader().push(bytes)[0] ?? []))
    expect(values).toEqual([
      { compression: null, python: [3, 11, 2], 'pickle-protocol': 4 },
      { compression: null, python: [3, 11, 2], 'pickle-protocol': 5 },
      { reply: true, op: 'identity' },
      {
        type: 'Scheduler',
        id: 'Scheduler-1041adec-aa86-4f3f-a3bf-8a14317f8b49',
        address: 'tcp://127.0.0.1:40257',
        services: { dashboard: 41475 },
        started: 1795380449.8690455,
        workers: {},
      },
    ])
  })

  it('makes of markers what they stand for, wherever they lie', () => {
    const status = { __Enum__: true, name: 'running', __module__: 'distributed.core', __name__: 'Status' }
    expect(decode({ a: [{ __Set__: true, 'as-list': [1, status] }] })).toEqual({ a: [new Set([1, 'running'])] })
  })

  it('leaves maps alone that only look like markers', () => {
    for (const value of [
      { __Set__: true },
      { __Set__: 1, 'as-list': [] },
      { __Enum__: true, name: 7 },
      { 'as-list': [] },
      { __Serialized__: 1 },
      { __Pickled__: 2 },
    ])
      expect(decode(value)).toEqual(value)
  })

  it('refuses a message without frames, or whose first is empty', () => {
    expect(() => decodeMessage([])).toThrow(new WireError('a message without frames'))
    expect(() => decodeMessage([new Uint8Array()])).toThrow(WireError)
  })

  it('reads an identity of 5,000 workers within a second or two', () => {
    const worker = {
      ...{ type: 'Worker', id: 7, host: '10.0.0.1', nthreads: 8, memory_limit: 2 ** 35, status: 'running' },
      metrics: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`a metric of number ${i}`, i / 7])),
    }
    const workers = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`tcp://10.0.0.1:${20_000 + i}`, worker]))
    const message = encodeMessage({ type: 'Scheduler', workers })
    const begin = performance.now()
    const decoded = decodeMessage(new FrameReader().push(message)[0] ?? [])
    const tookMs = performance.now() - begin
    expect(decoded).toEqual({ type: 'Scheduler', workers })
    expect(tookMs).toBeLessThan(10_000)
  })
})

import { encode } from '@msgpack/msgpack'
import { describe, expect, it } from 'vitest'
import { WireError } from '../../src/dask/frames.ts'
import { decodeMsgpack } from '../../src/dask/msgpack.ts'

const limits = { depth: 20, memory: 1_000_000 }
const decode = (bytes: Uint8Array | readonly number[]): unknown =>
  decodeMsgpack(Uint8Array.from(bytes), limits, (map) => map)

describe('decodeMsgpack', () => {
  it('gives back what msgpack has written', () => {
    const long = (length: number): string => 'ä'.repeat(length)
    const values = [
      ...[null, true, false, 0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER],
      ...[-1, -32, -33, -128, -129, -32_768, -32_769, -(2 ** 31), -(2 ** 31) - 1, Number.MIN_SAFE_INTEGER],
      ...[1.5, -0.1, Number.MAX_VALUE, Infinity, -Infinity, NaN],
      ...['', 'a', '\u{1f40d}\0"', long(15), long(16), long(127), long(128), long(40_000)],
      ...[[], [1], Array.from({ length: 16 }, (_, i) => i), Array.from({ length: 70_000 }, () => 1)],
      ...[{}, { a: { b: [{}] } }, Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, i]))],
    ]
    for (const value of values)
      expect(decodeMsgpack(encode(value), { depth: 9, memory: 1e8 }, (map) => map)).toEqual(value)
    for (const length of [0, 1, 255, 256, 65_536]) {
      const binary = new Uint8Array(length).fill(7)
      expect(Buffer.from(decode(encode(binary)) as Uint8Array)).toEqual(Buffer.from(binary))
    }
    expect(decode(encode(1.5, { forceFloat32: true }))).toBe(1.5)
    expect(decode([0xdf, 0, 0, 0, 1, 0xa1, 0x61, 1])).toEqual({ a: 1 })
  })

  it('makes text of keys that are none', () => {
    const key = (...bytes: number[]): string[] => Object.keys(decode([0x81, ...bytes, 1]) as object)
    expect(key(0x07)).toEqual(['7'])
    expect(key(0xff)).toEqual(['-1'])
    expect(key(0xc0)).toEqual(['null'])
    expect(key(0xc3)).toEqual(['true'])
    expect(key(0xca, 0x7f, 0xc0, 0, 0)).toEqual(['NaN'])
    expect(key(0xc4, 2, 0x61, 0x62)).toEqual(['ab'])
    expect(key(0x93, 0xa1, 0x61, 0x01, 0x91, 0xc0)).toEqual(['["a",1,[null]]'])
    expect(key(0x91, 0xc4, 1, 0x61)).toEqual(['["a"]'])
    expect(key(0x81, 0xa1, 0x61, 0x01)).toEqual(['{"a":1}'])
    expect(() => key(0x81, 0x91, 0x01, 0x01)).toThrow(new WireError('a key that is no text within another key'))
  })

  it('keeps the keys of prototypes as plain properties', () => {
    const map = (key: string): Uint8Array =>
      Uint8Array.of(0x81, 0xa0 + key.length, ...Buffer.from(key), 0x81, 0xa1, 0x78, 1)
    for (const key of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__']) {
      const value = decode(map(key)) as Record<string, unknown>
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
      expect(Object.entries(value)).toEqual([[key, { x: 1 }]])
    }
    expect('x' in {}).toBe(false)
  })

  it('bears text that is no UTF-8', () => {
    expect(decode([0xa2, 0xff, 0x61])).toBe('\ufffda')
  })

  it.for<readonly [string, readonly number[]]>([
    ['a value that goes on beyond its end', []],
    ['a value that goes on beyond its end', [0xa2, 0x61]],
    ['a value that goes on beyond its end', [0xcb, 0, 0]],
    ['a value that goes on beyond its end', [0xc6, 0xff, 0xff, 0xff, 0xff]],
    ['a value that goes on beyond its end', [0xda, 0]],
    ['a value that goes on beyond its end', [0x82, 0xa1, 0x61, 0x91, 1]],
    ['an array or map of 4294967295 values in 1 bytes', [0xdd, 0xff, 0xff, 0xff, 0xff, 1]],
    ['an array or map of 8589934590 values in 1 bytes', [0xdf, 0xff, 0xff, 0xff, 0xff, 1]],
    ['an array or map of 2 values in 1 bytes', [0x92, 1]],
    ['1 bytes after the end of a value', [1, 1]],
    ["the byte 0xc1, which begins no value of Dask's", [0xc1]],
    ["the byte 0xc7, which begins no value of Dask's", [0xc7, 0, 1]],
    ["the byte 0xd6, which begins no value of Dask's", [0xd6, 0xff, 0, 0, 0, 0]],
    ['values that lie deeper than 20 in each other', Array.from({ length: 21 }, () => 0x91)],
  ])('refuses %s', ([message, bytes]) => {
    expect(() => decode(bytes)).toThrow(new WireError(message))
  })

  it('takes values as deep as the limit', () => {
    expect(JSON.stringify(decode([...Array.from({ length: 20 }, () => 0x91), 1]))).toBe(
      `${'['.repeat(20)}1${']'.repeat(20)}`,
    )
  })
})

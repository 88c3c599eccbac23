// What a Node process beside a worker runs, at the orders of the worker's task (src/python/tasks-node.py), one at
// a time, over the socket on the file descriptor that its first argument names.
//
//   {call: the function's specification, arguments: value, dependencies: [value...]} -> {value} | {thrown, details}
//     with `last` where the process ends after it
//     before which it may send what nested.ts describes
//   {convert: value} -> {value, for Python} | {thrown}
import { Socket } from 'node:net'
import { inspect } from 'node:util'
import { Decoder } from '@msgpack/msgpack'
import { messageOf } from '../../errors.ts'
import { endingSignals, userSignals } from '../../util/early-signals.ts'
import { beginOwnProcess } from '../../util/own-process.ts'
import { type Frame, HelperFrameReader, packFrame } from '../frames.ts'
import { cloned, type Encoded, type HeaderValue, intoHeader } from '../values/encoded.ts'
import { decodeValue } from '../values/arguments.ts'
import { NDArray } from '../values/nd-array.ts'
import { encodePlain } from '../values/plain.ts'
import { isAlike } from '../values/scattered.ts'
import { encodeStructured } from '../values/structured.ts'
import { type FunctionSpec, makeFunction, type Runnable } from './compile.ts'
import { explain } from './helpers.ts'
import { type NestedAnswer, NestedClient } from './nested.ts'
import { encodeThrown, textOf } from './thrown.ts'

interface NodeOrder {
  readonly call?: Uint8Array
  readonly arguments?: HeaderValue
  readonly dependencies?: readonly HeaderValue[]
  readonly convert?: HeaderValue
}

interface KnownFunction {
  readonly spec: FunctionSpec
  readonly run: Runnable
}

beginOwnProcess()
Object.defineProperty(globalThis, 'NDArray', { value: NDArray, configurable: true, writable: true })

/** The last that were made; others are made again. */
const functions = new Map<string, Promise<KnownFunction>>()
const mostFunctions = 1000
const decoder = new Decoder()

async function known(bytes: Uint8Array): Promise<KnownFunction> {
  const key = Buffer.from(bytes).toString('latin1')
  let found = functions.get(key)
  if (found === undefined) {
    const spec = decoder.decode(bytes) as FunctionSpec
    found = makeFunction(spec).then((run) => ({ spec, run }))
    functions.set(key, found)
    const [oldest] = functions.keys()
    if (functions.size > mostFunctions && oldest !== undefined) functions.delete(oldest)
    // A file that cannot be read now may be there later.
    found.catch(() => functions.delete(key))
  }
  return await found
}

/** What both languages have alike is kept in the form that both read, but for what has other values in it. */
function encodeResult(value: unknown): Encoded {
  return isAlike(value) === true ? encodePlain(value, 'the result') : encodeStructured(value, 'the result')
}

async function obey({ header, buffers }: Frame): Promise<Frame> {
  const order = header as NodeOrder
  if (order.convert !== undefined) {
    try {
      return answer(encodePlain(decodeValue(order.convert, buffers)))
    } catch (error) {
      return { header: { thrown: messageOf(error) }, buffers: [] }
    }
  }
  let spec: FunctionSpec | undefined
  try {
    const called = await known(order.call ?? new Uint8Array())
    spec = called.spec
    const dependencies = (order.dependencies ?? []).map((value) => decodeValue(value, buffers))
    const args = decodeValue(order.arguments ?? [cloned, new Uint8Array(), 0, 0], buffers, dependencies) as unknown[]
    const { run } = called
    if (spec.client === true) nested = new NestedClient({ run, spec: order.call ?? new Uint8Array() }, send)
    const result = nested === undefined ? run(...args) : run(nested.client, ...args)
    return answer(encodeResult(isThenable(result) ? await result : result))
  } catch (error) {
    return failure(error, spec)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function answer(value: Encoded): Frame {
  const buffers: Uint8Array[] = []
  return { header: { value: intoHeader(value, buffers) }, buffers }
}

function failure(error: unknown, spec: FunctionSpec | undefined): Frame {
  try {
    const thrown = explain(error, spec) ?? error
    const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `threw ${textOf(thrown)}`
    // Python and Dask have no form of half of a surrogate pair; the error itself keeps it.
    return { header: { thrown: text.toWellFormed(), details: encodeThrown(thrown) }, buffers: [] }
  } catch (cause) {
    // It has a getter that throws, or the like.
    const unreadable = new Error('the function threw something that cannot be read', { cause })
    return { header: { thrown: unreadable.message, details: encodeThrown(unreadable) }, buffers: [] }
  }
}

// A step that is signalled as a whole goes on until its worker ends, and we with it.
for (const signal of [...endingSignals, ...userSignals]) process.on(signal, () => undefined)

const socket = new Socket({ fd: Number(process.argv[2]), readable: true, writable: true })
const end = (): void => process.exit()
socket.on('close', end)
socket.on('end', end)
socket.on('error', end)
let busy = false
/** That of the call that is under way. */
let nested: NestedClient | undefined

function send({ header, buffers }: Frame): void {
  socket.cork()
  for (const part of packFrame({ header, buffers })) socket.write(part)
  socket.uncork()
}

const reader = new HelperFrameReader((frame) => {
  const { header, buffers } = frame
  if ((header as Partial<NestedAnswer>).nested !== undefined) {
    nested?.take(header as NestedAnswer, buffers)
    return
  }
  busy = true
  void obey(frame).then((frame) => {
    nested?.end()
    nested = undefined
    if (!busy) return
    busy = false
    send(frame)
  })
})
socket.on('data', (chunk) => {
  try {
    reader.push(chunk)
  } catch (error) {
    // Whoever waits for an answer hears that we have ended; the next call has another process.
    process.stderr.write(`dask-hpc-runner: Cannot read the pipe of a Node process: ${messageOf(error)}\n`)
    process.exit(1)
  }
})
// An error in a callback, or a rejection that nobody handles, ends the process. It fails the call that is under way.
process.on('uncaughtException', (error) => {
  process.stderr.write(`${inspect(error)}\n`)
  process.exitCode = 1
  if (!busy) process.exit()
  busy = false
  const { header, buffers } = failure(error, undefined)
  send({ header: { ...(header as object), last: true }, buffers })
  socket.end(end)
})

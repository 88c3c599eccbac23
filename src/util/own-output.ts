import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { isMainThread } from 'node:worker_threads'

const streams = [
  ['stdout', 1],
  ['stderr', 2],
] as const

/**
 * From now on what this process writes on its standard streams leaves `O_NONBLOCK` of the open file alone that it has in common
 * with the user's program and with the other processes of a pipeline. Node would set it on a pipe, and a program that
 * does not expect it loses what it prints while the reader is slow: Python's `print` does, without an error.
 */
export function keepOutputBlocking(): void {
  // What a thread prints goes through its process, by streams that Node asks more of.
  if (!isMainThread) return
  for (const [name, fd] of streams) {
    const ofNode = Object.getOwnPropertyDescriptor(process, name)
    let stream: NodeJS.WriteStream | undefined
    const get = (): NodeJS.WriteStream =>
      (stream ??= openAgain(fd) ?? blocking(ofNode?.get?.call(process) as NodeJS.WriteStream))
    Object.defineProperty(process, name, { get, configurable: true, enumerable: true })
  }
}

/** The pipe of `fd`, opened anew: it has flags of its own then, and nothing that waits for its reader holds this process. */
function openAgain(fd: number): NodeJS.WriteStream | undefined {
  let opened: number | undefined
  try {
    // Only Linux opens it anew there; elsewhere, and of a socket, it is the same open file.
    if (process.platform !== 'linux' || !fstatSync(fd).isFIFO()) return undefined
    opened = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK)
    const socket = new Socket({ fd: opened, readable: false, writable: true })
    // Like Node's own streams it keeps no process alive.
    return socket.unref() as unknown as NodeJS.WriteStream
  } catch {
    // It is another user's, or nobody reads it any more.
    if (opened !== undefined) closeSync(opened)
    return undefined
  }
}

/** Node's own stream. Into a socket it waits for its reader from now on; a terminal and a file are left as they are. */
function blocking(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  const { _handle: handle } = stream as { _handle?: { setBlocking?: (isBlocking: boolean) => void } }
  handle?.setBlocking?.(true)
  return stream
}

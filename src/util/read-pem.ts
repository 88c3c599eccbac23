import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { errnoOf, messageOf, RunnerError } from '../errors.ts'
import { printable } from './printable.ts'
import { hasControlCharacters } from './control-characters.ts'
import { withIoTimeout } from './io-timeout.ts'
import { formatDuration } from './duration.ts'

/** What a file of TLS is read as. */
export type PemPart = 'authority' | 'certificate' | 'key'

/** How long a file may take to be read. In milliseconds. */
const readTimeout = 10_000

/** A bundle of all authorities of the world has a quarter of a megabyte. In bytes. */
const largest = 4 * 1024 * 1024

/** A PEM file. */
export interface Pem {
  readonly text: string
  /** Permissions of the file. */
  readonly mode: number
}

/**
 * Reads a PEM file. A named pipe in its place is not waited for, nor a filesystem that hangs.
 *
 * @throws RunnerError ERR_ENVIRONMENT where it cannot be read, or nothing of PEM is in it.
 */
export async function readPem(path: string, part: PemPart): Promise<Pem> {
  if (hasControlCharacters(path))
    throw tlsError(`${formatPart(part, path)} has a control character in its name`, 'rename it')
  const late = (): Error =>
    tlsError(`the filesystem of ${formatPart(part, path)} has not answered for ${formatDuration(readTimeout)}`)
  const pem = await withIoTimeout(readRegular(path, part), readTimeout, late)
  const { text } = pem
  if (text.trim() === '') throw tlsError(`${formatPart(part, path)} is empty`)
  if (!text.includes('-----BEGIN ')) throw tlsError(`${formatPart(part, path)} is not PEM`, howToConvert(text, part))
  return pem
}

/** `the certificate "/x/cert.pem"` */
export function formatPart(part: PemPart, path: string): string {
  return `the ${part} "${printable(path)}"`
}

/** A RunnerError that says what is wrong with the files of TLS, and what to do. */
export function tlsError(what: string, advice?: string, cause?: unknown): RunnerError {
  const message = `Cannot use TLS: ${what}${advice === undefined ? '' : `; ${advice}`}`
  return new RunnerError(message, { code: 'ERR_ENVIRONMENT', cause })
}

/** What OpenSSL has to say: its messages have a line of library names around it. */
export function reasonOf(error: unknown): string {
  return error instanceof Error && 'reason' in error ? String(error.reason) : messageOf(error)
}

async function readRegular(path: string, part: PemPart): Promise<Pem> {
  let file: FileHandle
  try {
    // Without O_NONBLOCK a named pipe would hold the call until somebody writes.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    throw whyNotOpened(cause, path, part)
  }
  try {
    const found = await file.stat()
    if (found.isDirectory()) throw tlsError(`${formatPart(part, path)} is a directory`)
    if (!found.isFile()) throw tlsError(`${formatPart(part, path)} is not a regular file`)
    if (found.size > largest) throw tlsError(`${formatPart(part, path)} is too large for a PEM file`)
    return { text: await file.readFile('latin1'), mode: found.mode }
  } catch (cause) {
    if (cause instanceof RunnerError) throw cause
    throw tlsError(`${formatPart(part, path)} cannot be read (${messageOf(cause)})`, undefined, cause)
  } finally {
    await file.close()
  }
}

/** Says why a file cannot be opened. */
export function whyNotOpened(cause: unknown, path: string, part: PemPart): RunnerError {
  switch (errnoOf(cause)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return tlsError(`there is no file "${printable(path)}" for the ${part}`, undefined, cause)
    case 'EACCES':
    case 'EPERM':
      return tlsError(
        `reading ${formatPart(part, path)} is not permitted`,
        'make it readable for you, on every node',
        cause,
      )
    case 'ENXIO':
      return tlsError(`${formatPart(part, path)} is not a regular file`, undefined, cause)
    default:
      return tlsError(`${formatPart(part, path)} cannot be opened (${messageOf(cause)})`, undefined, cause)
  }
}

/** DER begins with a sequence of a length of two bytes. */
function howToConvert(text: string, part: PemPart): string | undefined {
  if (!text.startsWith('\x30\x82')) return undefined
  const tool = part === 'key' ? 'pkey' : 'x509'
  return `it looks like DER, which "openssl ${tool} -inform DER -in … -out …" converts`
}

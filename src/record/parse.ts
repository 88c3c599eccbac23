import * as z from 'zod/mini'
import type { SchedulerFile } from './scheduler-file.ts'
import { schedulerFileSchema } from './schemas.ts'

/** What a text turned out to be when it was read as a scheduler file. */
export type ParsedSchedulerFile =
  | { readonly kind: 'valid'; readonly file: SchedulerFile }
  | { readonly kind: 'empty' }
  | { readonly kind: 'truncated' }
  /** Something else; `why` continues the sentence "it is left alone, because ...". */
  | { readonly kind: 'foreign'; readonly why: string }

/** How a scheduler file of any Dask begins, white space removed. */
const beginning = '{"type":"Scheduler"'

/**
 * Reads the text of a scheduler file. `truncated` is told narrowly, since what is truncated may be
 * replaced: the text begins as Dask's file begins, and stops before its JSON does.
 */
export function parseSchedulerFile(text: string): ParsedSchedulerFile {
  if (text.trim() === '') return { kind: 'empty' }
  const value = parseJson(text)
  if (value === undefined) {
    const start = text.slice(0, 1000).replace(/\s/g, '')
    if (start.startsWith(beginning) || beginning.startsWith(start)) return { kind: 'truncated' }
    return { kind: 'foreign', why: 'it is not JSON' }
  }
  const parsed = z.safeParse(schedulerFileSchema, value.json)
  if (parsed.success) return { kind: 'valid', file: parsed.data }
  const path = parsed.error.issues[0]?.path.join('.') ?? ''
  const why = path === '' ? 'it is not an object' : `its "${path}" is not as Dask writes it`
  return { kind: 'foreign', why: `it is JSON, but no Dask scheduler file: ${why}` }
}

/** What a scheduler says of itself, or undefined where that is no content of a scheduler file. */
export function parseIdentity(identity: Readonly<Record<string, unknown>>): SchedulerFile | undefined {
  const parsed = z.safeParse(schedulerFileSchema, identity)
  return parsed.success ? parsed.data : undefined
}

/** The text of a scheduler file, indented as Dask does. */
export function formatSchedulerFile(file: SchedulerFile): string {
  return JSON.stringify(file, undefined, 2)
}

function parseJson(text: string): { readonly json: unknown } | undefined {
  try {
    return { json: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

import type { Level } from './finding.ts'
import { sayDuration } from '../../util/duration.ts'

/** Between these lies one clock less another. In milliseconds; one clock is ahead where it is positive. */
export interface Offset {
  readonly least: number
  readonly most: number
}

/** A clock that gives whole milliseconds has moved on by less than this. */
const tick = 1

/** A question to another clock: ours before and after, the other's in between. */
export interface Question {
  readonly before: number
  readonly other: number
  readonly after: number
}

/** Our clock less the other's, by one question: the other clock was read at some moment in between. */
export function offsetOfQuestion({ before, other, after }: Question): Offset {
  return { least: before - other - tick, most: after - other + tick }
}

/** The moments of an exchange of two files, each by the clock of whoever wrote or read. */
export interface Exchange {
  /** Process 0 was about to write, and the other had read that. */
  readonly startWritten: number
  readonly startRead: number
  /** The other was about to write, and process 0 had read that. */
  readonly written: number
  readonly read: number
}

/**
 * The other's clock less that of process 0, by the exchange of two files: nothing is read before it
 * is written. The filesystem and the looking take their time, so that this is a wide interval.
 */
export function offsetOfExchange({ startWritten, startRead, written, read }: Exchange): Offset {
  return { least: written - read - tick, most: startRead - startWritten + tick }
}

/** What all of these allow. */
export function narrow(first: Offset, ...others: readonly Offset[]): Offset {
  return others.reduce(
    (all, { least, most }) => ({ least: Math.max(all.least, least), most: Math.min(all.most, most) }),
    first,
  )
}

/** By how much two clocks differ at least, and at most. In milliseconds, from 0. */
export function difference({ least, most }: Offset): { readonly atLeast: number; readonly atMost: number } {
  return {
    atLeast: Math.max(0, least, -most),
    atMost: Math.max(Math.abs(least), Math.abs(most)),
  }
}

/** A difference as a person would say it: `5 s ahead`, `4.9 s to 5.1 s ahead`, `within 3 ms`. */
export function sayOffset(offset: Offset): string {
  const { atLeast, atMost } = difference(offset)
  if (atLeast === 0) return `within ${sayDuration(atMost)}`
  const [least, most] = [sayDuration(atLeast), sayDuration(atMost)]
  return `${least === most ? most : `${least} to ${most}`} ${offset.least > 0 ? 'ahead' : 'behind'}`
}

/** How bad such a difference is: messages of several hosts cannot be put in order, and ages are wrong. */
export function judgeOffset(offset: Offset): Level {
  const { atLeast, atMost } = difference(offset)
  if (atLeast >= 1_000) return 'warning'
  return atLeast >= 100 || atMost >= 1_000 ? 'note' : 'ok'
}

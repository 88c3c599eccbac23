import { homedir } from 'node:os'
import * as z from 'zod/mini'
import { hasControlCharacters, isNoUtf8 } from '../util/control-characters.ts'
import { type Duration, durationWanted, milliseconds, parseDuration, longestTimer } from '../util/duration.ts'
import { madeOnce } from '../util/made-once.ts'
import { printable } from '../util/printable.ts'
import { parsePorts, portsWanted, formatPorts } from '../util/ports.ts'
import type { Kind } from './row.ts'

/** Why a value cannot be used: what stands behind the colon of `Cannot use --grace "soon": …`. */
export class Refusal extends Error {}

/** A schema that makes of what `base` takes what `read` gives; a {@link Refusal} of `read` is its complaint. */
export function reading<Given, Between, Value>(
  base: z.ZodMiniType<Between, Given>,
  read: (value: Between) => Value,
): z.ZodMiniType<Value, Given> {
  return z.pipe(
    base,
    z.transform((value: Between, { issues }) => {
      try {
        return read(value)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        issues.push({ code: 'custom', input: value, message: error.message })
        return z.NEVER
      }
    }),
  )
}

/**
 * A kind whose schema is made when a value is first checked: there are more than a hundred kinds, a run uses a few, and every process
 * of a job would pay for all of them.
 */
export function kindOf<Given, Value>(
  make: () => z.ZodMiniType<Value, Given>,
  more: Omit<Kind<Given, Value>, 'schema'> = {},
): Kind<Given, Value> {
  const schema = madeOnce(make)
  return {
    ...more,
    get schema() {
      return schema()
    },
  }
}

/** The longest text that is an option. Linux takes no path that is longer. */
const longestText = 4_095

/** A text of one line that is not empty. */
const line = madeOnce(() =>
  z.string('it is a text').check(
    z.refine((text) => text.trim() !== '', 'it is empty; leave it out, or give it a value'),
    z.refine((text) => !hasControlCharacters(text), 'it has control characters in it, such as the end of a line'),
    z.refine((text) => !isNoUtf8(text), 'it has bytes in it that are no UTF-8'),
    z.refine((text) => text.isWellFormed() && text.length <= longestText, `it has more than ${longestText} characters`),
  ),
)

/** A text of one line, as `read` takes it. */
export function text(read: (text: string) => string = (text) => text): Kind<string, string> {
  return kindOf(() => reading(line(), read))
}

/** The longest argument of a command under Linux. */
const longestScript = 131_071

/** A text that may have several lines, such as a shell command. */
const lines = madeOnce(() =>
  z.string('it is a text').check(
    z.refine((text) => text.trim() !== '', 'it is empty; leave it out, or give it a value'),
    z.refine((text) => !text.includes('\0') && text.isWellFormed(), 'it has a character that no command can have'),
    z.refine((text) => text.length <= longestScript, `it has more than ${longestScript} characters`),
  ),
)

/** A text that may have several lines, as `read` takes it. */
export function script(read: (text: string) => string = (text) => text): Kind<string, string> {
  return kindOf(() => reading(lines(), read))
}

/** A path; `~` at its beginning is the home directory. */
export function path(): Kind<string, string> {
  return text(atHome)
}

/** The path of a directory of the run's own, in which placeholders are filled in. */
export function runDirectory(): Kind<string, string> {
  return text((path) => atHome(withKnownPlaceholders(path)))
}

/** The path of a file of the run's own, in which placeholders are filled in. */
export function runFile(): Kind<string, string> {
  return text((path) => {
    if (/^~$|(^|\/)\.{0,2}$/.test(path)) throw new Refusal('it is the name of a directory, and is to be that of a file')
    return atHome(withKnownPlaceholders(path))
  })
}

/** What is filled in by the identity of a run. */
const placeholders = ['{job_id}', '{step_id}', '{restart}']

function withKnownPlaceholders(path: string): string {
  const unknown = (path.match(/\{\w+\}/g) ?? []).find((name) => !placeholders.includes(name))
  if (unknown !== undefined)
    throw new Refusal(`there is no placeholder ${unknown}: what is filled in is ${placeholders.join(', ')}`)
  return path
}

/** A path, or several: the flag may be repeated, and the variable has commas between them. */
export function paths(): Kind<string | readonly string[], readonly string[]> {
  const wanted = 'it is a path, or a list of paths'
  const isOne = (value: unknown): value is string | readonly string[] =>
    typeof value === 'string' || (Array.isArray(value) && value.length > 0)
  const make = () => {
    const list = z.readonly(z.array(reading(line(), atHome)))
    return reading(z.custom<string | readonly string[]>(isOne, wanted), (given) => {
      const checked = z.safeParse(list, typeof given === 'string' ? [given] : given)
      if (!checked.success) throw new Refusal(checked.error.issues[0]?.message)
      return checked.data
    })
  }
  return kindOf(make, { form: 'list', fromText: (text) => text.split(',').map((path) => path.trim()) })
}

/** `~` and `~/x` as a shell would write them out, which it does not behind a `=`. */
export function atHome(path: string): string {
  if (/^\$\{?[A-Za-z_]/.test(path))
    throw new Refusal(
      'a variable in it has not been written out, as a shell does outside of single quotes; write the path out, or begin it with ./',
    )
  if (!path.startsWith('~')) return path
  if (path !== '~' && !path.startsWith('~/'))
    throw new Refusal('only your own home directory can be written as ~; write the path out, or begin it with ./')
  const home = homedir()
  if (isNoUtf8(home))
    throw new Refusal(`the name of the home directory "${printable(home)}" is no UTF-8; write another path out`)
  if (hasControlCharacters(home))
    throw new Refusal(
      `the home directory "${printable(home)}" has a control character in its name; write another path out`,
    )
  return home + path.slice(1)
}

/** One of these words. */
export function oneOf<const Word extends string>(...words: readonly [Word, ...Word[]]): Kind<Word, Word> {
  return kindOf(() => z.enum(words, `it is one of ${words.join(', ')}`), { words })
}

/** True or false. */
export function yesOrNo(): Kind<boolean, boolean> {
  return truth
}

const truth: Kind<boolean, boolean> = kindOf(() => z.boolean('it is yes or no'), {
  form: 'switch',
  fromText: (text) => yesAndNo.get(text.toLowerCase()) ?? text,
})

const yesAndNo = new Map<string, boolean>([
  ['yes', true],
  ['true', true],
  ['1', true],
  ['no', false],
  ['false', false],
  ['0', false],
])

/** A whole number between these, both included. */
export function wholeNumber(least: number, most: number): Kind<number, number> {
  const wanted = `it is a whole number from ${least} to ${most}`
  return kindOf(() => z.int(wanted).check(z.gte(least, wanted), z.lte(most, wanted)), { fromText: digits })
}

/** A whole number, or the word. */
export function wholeNumberOr<const Word extends string>(
  word: Word,
  least: number,
  most: number,
): Kind<number | Word, number | Word> {
  const wanted = `it is a whole number from ${least} to ${most}, or ${word}`
  const isOne = (value: unknown): value is number | Word =>
    value === word || (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most)
  return kindOf(() => z.custom<number | Word>(isOne, wanted), { fromText: digits })
}

function digits(text: string): number | string {
  return /^(0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : text
}

/** A length of time that is longer than nothing, in milliseconds; with less than `least` nothing could work. */
export function duration(least?: Duration): Kind<Duration, number> {
  const read = (given: Duration): number => {
    const ms = parseDuration(given)
    if (ms === undefined) throw new Refusal(durationWanted)
    if (ms === 0) throw new Refusal('it must be longer than nothing')
    if (least !== undefined && ms < milliseconds(least))
      throw new Refusal(`nothing works in so short a time; write ${least} or more`)
    return Math.min(ms, longestTimer)
  }
  return kindOf(() => reading(z.custom<Duration>(isTextOrNumber, durationWanted), read))
}

function isTextOrNumber(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number'
}

/** Ports as Dask writes them: `9000`, or a range `9000:9010`. */
export function ports(): Kind<string, string> {
  return text((text) => {
    const range = parsePorts(text)
    if (range === undefined) throw new Refusal(portsWanted)
    return formatPorts(range)
  })
}

/** Several of a kind. */
export function listOf<Given, Value>(kind: Kind<Given, Value>): Kind<readonly Given[], readonly Value[]> {
  return kindOf(() => z.readonly(z.array(kind.schema as z.ZodMiniType<Value, Given>, 'it is a list')), {
    form: 'list',
    fromText: (text) => text.split(',').map((item) => item.trim()),
  })
}

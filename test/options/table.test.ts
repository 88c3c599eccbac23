import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import * as z from 'zod/mini'
import { addFlags } from '../../src/cli/flags.ts'
import { completeOptions, nameOf } from '../../src/options.ts'
import { ownTables, tableOf, type CommandName } from '../../src/options/command-table.ts'
import { checkValue, completeRows } from '../../src/options/complete.ts'
import { kindOf } from '../../src/options/kinds.ts'
import { flagOf, variableOf } from '../../src/options/names.ts'
import { readOptions } from '../../src/options/read.ts'
import type { Row } from '../../src/options/row.ts'
import { runTable } from '../../src/options/table.ts'
import { type Samples, samples } from './samples.ts'

beforeAll(() => {
  vi.stubEnv('HOME', '/home/me')
})

/** What is made of one text of an option; it comes by its flag, or by its variable. */
function made(option: string, row: Row, by: 'flag' | 'variable', text: string): unknown {
  const variable = variableOf(option, row)
  const origin = by === 'flag' ? { flags: { [option]: text }, env: {} } : { flags: {}, env: { [variable]: text } }
  const { options, sources } = readOptions({ [option]: row }, origin)
  return completeRows({ [option]: row }, options, (each) => nameOf({ sources }, each))[option]
}

const rows: readonly (readonly [string, Row])[] = Object.entries(runTable)

/** Commands and scripts. */
const mayHaveLines = new Set(['onTerminate', 'preload', 'preloadNanny'])

it('a default is what its kind would make of it', () => {
  const tables = [...Object.values(ownTables), runTable]
  for (const [option, row] of tables.flatMap((table) => Object.entries<Row>(table)))
    if (row.default !== undefined)
      expect(completeRows({ [option]: row }, {}, () => option)[option], option).toEqual(
        checkValue(row.kind, row.default, option),
      )
})

it('a schema is made when it is first asked for', () => {
  const make = vi.fn(() => z.string())
  const kind = kindOf(make)
  expect(make).not.toHaveBeenCalled()
  expect(kind.schema).toBe(kind.schema)
  expect(make).toHaveBeenCalledOnce()
  const tables = [...Object.values(ownTables), runTable]
  for (const [option, row] of tables.flatMap((table) => Object.entries<Row>(table)))
    expect(Object.getOwnPropertyDescriptor(row.kind, 'schema'), option).not.toHaveProperty('value')
})

it('every option has samples', () => {
  expect(Object.keys(samples).sort()).toEqual(Object.keys(runTable).sort())
})

describe.each(rows)('%s', (option, row) => {
  const { good, bad } = samples[option] as Samples
  const isSwitch = row.kind.form === 'switch'

  it('takes what is good', () => {
    for (const [text, value] of Object.entries(good)) {
      if (!isSwitch) expect(made(option, row, 'flag', text), text).toEqual(value)
      expect(made(option, row, 'variable', text), text).toEqual(value)
    }
  })

  it('refuses what is not, and names the flag or the variable', () => {
    for (const text of bad) {
      const make = (by: 'flag' | 'variable') => () => made(option, row, by, text)
      // These are words of the package that checks.
      expect(make('variable'), text).not.toThrow(/Invalid|expected/)
      expect(make('variable'), text).toThrow(RangeError)
      expect(make('variable'), text).toThrow(`Cannot use ${variableOf(option, row)} "${text}": `)
      if (!isSwitch) expect(make('flag'), text).toThrow(`Cannot use ${flagOf(option)} "${text}": `)
    }
  })

  if (!isSwitch)
    it('refuses an empty flag, blanks and control characters', () => {
      for (const text of ['', ' ', '\t'])
        expect(() => made(option, row, 'flag', text)).toThrow(/it is empty; leave it out|"": /)
      expect(() => made(option, row, 'flag', 'x\u0000y')).toThrow(`Cannot use ${flagOf(option)} "x\\u0000y": `)
      if (!mayHaveLines.has(option)) expect(() => made(option, row, 'flag', 'caf\ufffd')).toThrow(RangeError)
      if (!mayHaveLines.has(option)) expect(() => made(option, row, 'flag', 'x\ny')).toThrow(RangeError)
    })

  if (!isSwitch)
    it('refuses what is enormous, and does not print all of it', () => {
      const text = '9'.repeat(200_000)
      expect(() => made(option, row, 'flag', text)).toThrow(/^Cannot use --[a-z-]+ "9{100}…": .{5,120}$/)
    })

  it('refuses what is of another type, in the library', () => {
    for (const value of [Symbol('x'), () => 1, {}, [{}], NaN]) {
      const complete = () => completeOptions({ [option]: value })
      expect(complete).toThrow(`Cannot use ${option} `)
      expect(complete).not.toThrow(/Invalid|expected/)
    }
  })

  it('counts an empty variable as none', () => {
    expect(readOptions({ [option]: row }, { flags: {}, env: { [variableOf(option, row)]: '' } }).options).toEqual({})
  })

  it('is taken from the flag where there is a variable too', () => {
    const [text = '', value] = Object.entries(good)[0] ?? []
    const flags = { [option]: isSwitch ? value : text }
    const read = readOptions({ [option]: row }, { flags, env: { [variableOf(option, row)]: 'x' } })
    expect(completeRows({ [option]: row }, read.options, String)[option]).toEqual(value)
    expect(read.sources[option]).toMatch(/^--/)
  })
})

describe.each(Object.keys(ownTables) as CommandName[])('the flags of %s', (name) => {
  const parsed = (...args: readonly string[]): Record<string, unknown> =>
    addFlags(new Command(name))
      .exitOverride()
      .parse([...args], { from: 'user' })
      .opts()

  it('are those of its table', () => {
    for (const [option, row] of Object.entries(tableOf(name))) {
      const flag = flagOf(option)
      if (row.kind.form === 'switch') {
        expect(parsed(flag)[option]).toBe(true)
        expect(parsed(`--no-${flag.slice(2)}`)[option]).toBe(false)
        expect(parsed(flag, `--no-${flag.slice(2)}`)[option]).toBe(false)
      } else if (row.kind.form === 'list') expect(parsed(flag, 'a', flag, 'b')[option]).toEqual(['a', 'b'])
      else expect(parsed(flag, 'a', flag, '-1')[option]).toBe('-1')
    }
  })

  it('do not take another option for a value', () => {
    const [option = ''] = Object.entries(tableOf(name)).find(([, { kind }]) => kind.form === undefined) ?? []
    expect(() => parsed(flagOf(option), '--json')).toThrow(
      `Cannot use ${flagOf(option)} "--json": another option stands`,
    )
  })

  it('are all in the help, with their defaults', () => {
    const help = addFlags(new Command(name)).helpInformation()
    for (const [option, { default: value, kind }] of Object.entries(tableOf(name))) {
      const flag = kind.form === 'switch' && value === true ? `--no-${flagOf(option).slice(2)}` : flagOf(option)
      expect(help).toContain(flag)
      if (kind.form !== 'switch' && value !== undefined)
        expect(help).toMatch(new RegExp(`default:\\s+${value as string}`))
    }
  })
})

it('no two options of a command share a variable, nor one of what a program is told', () => {
  for (const name of Object.keys(ownTables) as CommandName[]) {
    const variables = Object.entries(tableOf(name)).map(([option, row]) => variableOf(option, row))
    expect(new Set([...variables, 'DASK_HPC_RUNNER_N_WORKERS']).size).toBe(variables.length + 1)
  }
})

it('what users of the library read of a default is what counts', async () => {
  const files = ['table.ts', 'dask-table.ts'].map(
    async (name) => await readFile(new URL(`../../src/options/${name}`, import.meta.url), 'utf8'),
  )
  const text = (await Promise.all(files)).join('\n')
  for (const [option, row] of rows) {
    const [, comment = ''] = new RegExp(`/\\*\\*((?:[^*]|\\*(?!/))*)\\*/\\s+${option}: \\{`).exec(text) ?? []
    expect(comment, option).not.toBe('')
    const { default: value } = row
    if (value !== undefined)
      expect(comment, option).toContain(`@default ${typeof value === 'string' ? `'${value}'` : (value as number)}`)
  }
})

it('--preload-argv takes what is for others, and begins with --, for a value', () => {
  for (const name of ['run', 'local'] as const) {
    const command = addFlags(new Command(name)).exitOverride()
    expect(command.parse(['--preload-argv', '--level 3'], { from: 'user' }).opts().preloadArgv).toBe('--level 3')
  }
})

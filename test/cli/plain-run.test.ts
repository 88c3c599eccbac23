import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { addRunOptions } from '../../src/cli/flags.ts'
import { readPlainRun } from '../../src/cli/plain-run.ts'

function byCommander(args: readonly string[]): unknown {
  let read: unknown
  const root = new Command()
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  addRunOptions(root.command('run').argument('[command...]').passThroughOptions()).action(
    (command: string[], flags: object) => {
      read = { command, flags: { ...flags } }
    },
  )
  root.parse(args, { from: 'user' })
  return read
}

describe('a plain run is read as commander reads it', () => {
  const options = addRunOptions(new Command()).options
  const notPlain = ['--layout', '--identity', '--watch', '--log-format', '--runner', '--preload']
  const plain = options.filter(({ long }) => !notPlain.includes(long ?? ''))

  it.each(plain.map((option) => [option.long ?? '', option.required] as const))('%s', (flag, hasValue) => {
    const args = ['run', flag, ...(hasValue ? ['3'] : []), '--', 'python', '--x', flag]
    expect(readPlainRun(args)).toBeDefined()
    expect(readPlainRun(args)).toEqual(byCommander(args))
  })

  it.each([
    ['run'],
    ['run --'],
    ['run python client.py'],
    ['run python -- client.py'],
    ['run -- python -- client.py'],
    ['run --nworkers 2 python --nworkers 3'],
    ['run --grace 2s --grace 3s --no-client --no-nanny --nanny'],
    ['run run'],
  ])('%s', (text) => {
    const args = text.split(' ')
    expect(readPlainRun(args)).toBeDefined()
    expect(readPlainRun(args)).toEqual(byCommander(args))
  })

  it.each([
    ...notPlain.map((flag) => [`run ${flag} x`]),
    ['run --help'],
    ['run -h'],
    ['run --grace'],
    ['run --grace -1'],
    ['run --grace=2s'],
    ['run --no-grace 2s'],
    ['run --client'],
    ['run --dashboard'],
    ['run --no-keep-mpi-env'],
    ['run --schedular-file x'],
    ['run - x'],
    ['run -xport 1'],
    ['run -xnanny'],
    ['local -n 4'],
    [''],
  ])('leaves to commander: %s', (text) => {
    expect(readPlainRun(text.split(' '))).toBeUndefined()
  })
})

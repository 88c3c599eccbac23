import { format, resolveConfig } from 'prettier'
import { expect, it } from 'vitest'
import { type CommandName, ownTables } from '../../src/options/command-table.ts'
import { flagOf, variableOf } from '../../src/options/names.ts'
import type { Row, Rows } from '../../src/options/row.ts'
import { daskTable } from '../../src/options/dask-table.ts'
import { runTable } from '../../src/options/table.ts'

const introduction = `# Options

This page is made from the table of options: \`npx vitest run --project unit test/options/page.test.ts -u\` writes it.

Each option is an environment variable too. A flag wins over its variable. An empty variable counts as none; an empty value of a flag is
an error. A switch is \`yes\`, \`no\`, \`true\`, \`false\`, \`1\` or \`0\` as a variable, and \`--name\` or \`--no-name\` as a flag. Where a flag may
be repeated, its variable has commas between the values. Times are written \`500ms\`, \`30s\`, \`5m\` or \`1h\`, where nothing else is said. \`~\`
at the beginning of a path is your home directory. What a run starts does not inherit the variables; a program under \`wait\` does.

In the client program of a run, \`DASK_HPC_RUNNER_SCHEDULER_FILE\` is the file of that run: \`run\`, \`local\`, \`plan\` and \`doctor\` take
it from there only with \`--no-scheduler\`.

A value that cannot be used ends the command at once with status 64, and one sentence names the flag or the variable that had it.
`

function tableOf(rows: Rows): string {
  const lines = Object.entries(rows).map(
    ([option, row]) => `| \`${flag(option, row)}\` | \`${variable(option, row)}\` | ${help(row)} | ${byDefault(row)} |`,
  )
  return ['| option | variable | is | default |', '|---|---|---|---|', ...lines, ''].join('\n')
}

function flag(option: string, { kind, short, value = 'value', default: by }: Row): string {
  const name = by === true ? `--no-${flagOf(option).slice(2)}` : flagOf(option)
  return kind.form === 'switch' ? name : `${short === undefined ? '' : `${short}, `}${name} <${value}>`
}

function variable(option: string, row: Row): string {
  const value = row.kind.form !== 'switch' ? '' : row.default === true ? '=no' : '=yes'
  return variableOf(option, row) + value
}

function help({ help, kind: { words = [] } }: Row): string {
  const all = words.length === 0 ? help : `${help} (${words.join(', ')})`
  return all.replaceAll(/[|<>]/g, (character) => `\\${character}`).replaceAll(/\{\w+\}/g, '`$&`')
}

function byDefault({ kind, default: value, otherwise }: Row): string {
  if (otherwise !== undefined) return otherwise
  return value === undefined || kind.form === 'switch' ? '' : `\`${value as string | number}\``
}

it('docs/options.md is what the table of options says', async () => {
  const own = Object.fromEntries(Object.entries(runTable).filter(([option]) => !Object.hasOwn(daskTable, option)))
  const rows = Object.entries<Row>(own)
  const ofLauncher = (is: boolean): Rows =>
    Object.fromEntries(rows.filter(([, row]) => (row.ofLauncher ?? false) === is))
  const page = [
    introduction,
    '## `run`, `local`, `plan` and `doctor`\n',
    tableOf(ofLauncher(false)),
    '## `run`, `plan` and `doctor`: the launcher of the processes\n',
    '`local` starts its processes itself: it refuses these flags, and does not read their variables.\n',
    tableOf({ runner: ownTables.run.runner, ...ofLauncher(true) }),
    "## Dask's own, passed on to scheduler and workers\n",
    tableOf(daskTable),
    ...(
      ['local', 'spread', 'plan', 'doctor', 'wait', 'status', 'env', 'report', 'stop'] as const satisfies CommandName[]
    ).flatMap((name) => {
      const { runner: _, ...rows } = ownTables[name] as Rows
      return [`## \`${name}\` alone\n`, tableOf(rows)]
    }),
  ].join('\n')
  const path = new URL('../../docs/options.md', import.meta.url).pathname
  const formatted = await format(page, { ...(await resolveConfig(path)), parser: 'markdown' })
  await expect(formatted).toMatchFileSnapshot(path)
})

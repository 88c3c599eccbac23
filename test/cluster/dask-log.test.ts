import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Cluster, python as testPython } from '../support/cluster.ts'
import { debian13Python } from '../support/debian13.ts'

const records = new URL('../../src/python/records.py', import.meta.url)

const program = `
exec(open(RECORDS).read())
mark_below(*GIVEN)
import logging
import distributed
for name in ("distributed.scheduler", "distributed.worker", "mine"):
    for level in ("info", "warning"):
        getattr(logging.getLogger(name), level)("%s\\nof %s", level, name)
`

const marked = (level: string, name: string): unknown[] => [
  expect.stringMatching(`^\u001e.* - ${level}$`),
  `\u001eof ${name}`,
]
const plain = (level: string, name: string): unknown[] => [
  expect.stringMatching(`^[^\u001e].* - ${level}$`),
  `of ${name}`,
]
const warnings = (name: string): unknown[] => plain('warning', name)
const [scheduler, worker] = ['distributed.scheduler', 'distributed.worker']

const newStyle = `logging:
  version: 1
  handlers: {mine: {class: logging.StreamHandler, formatter: mine}}
  formatters: {mine: {format: "x - %(message)s"}}
  loggers: {distributed: {level: INFO, handlers: [mine]}}
`

describe.each([
  ["this machine's Dask", testPython],
  ["Debian 13's Dask", debian13Python()],
])('%s', (_, python) => {
  async function printed(given: readonly [string, boolean], configuration = ''): Promise<string[]> {
    await using cluster = await Cluster.make()
    await writeFile(cluster.path('dask.yaml'), configuration)
    const isGiven = given[1] ? 'True' : 'False'
    const text = program.replace('GIVEN', `("${given[0]}", ${isGiven})`).replace('RECORDS', '"records.py"')
    await writeFile(cluster.path('records.py'), await readFile(records))
    await writeFile(join(cluster.work, 'logger.py'), text)
    const env = { ...cluster.env, DASK_CONFIG: cluster.work }
    const { stderr } = await promisify(execFile)(python ?? '', ['logger.py'], { cwd: cluster.work, env })
    return stderr.trimEnd().split('\n')
  }
  // What is not Dask's is left as it is: Python prints its warnings.
  const mine = ['warning', 'of mine']

  test.skipIf(python === undefined)(
    'marks each line of what is below the level, and nothing that is not of Dask',
    async () => {
      const of = (name: string): unknown[] => [...marked('info', name), ...warnings(name)]
      expect(await printed(['warning', false])).toEqual([...of(scheduler), ...of(worker), ...mine])
    },
  )

  test.skipIf(python === undefined)('leaves loggers that the configuration names as that has them', async () => {
    const all = [scheduler, worker].flatMap((name) => [...plain('info', name), ...warnings(name)])
    expect(await printed(['warning', false], `logging:\n  ${scheduler}: info\n`)).toEqual([
      ...all.slice(0, 4),
      ...marked('info', worker),
      ...warnings(worker),
      ...mine,
    ])
    expect(await printed(['warning', false], 'distributed:\n  logging:\n    distributed: info\n')).toEqual([
      ...all,
      ...mine,
    ])
    expect(await printed(['warning', false], newStyle)).toEqual([...all, ...mine])
  })

  test.skipIf(python === undefined)('has the level of an option count, whatever the configuration names', async () => {
    const lines = await printed(['error', true], 'logging:\n  distributed: info\n')
    expect(lines.slice(0, 8).every((line) => line.startsWith('\u001e'))).toBe(true)
    expect(lines.slice(8)).toEqual(mine)
  })
})

import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Cluster, programs, python as ownPython } from '../support/cluster.ts'
import { compile } from '../support/library-program.ts'
import { pythons } from '../support/pythons.ts'

const fixtures = join(programs, '../faults')

/** A Python like `python` whose scheduler is held in its import of Dask until `go-import` is there. */
async function heldPython(cluster: Cluster, python: string): Promise<string> {
  await cp(join(fixtures, 'hold_import'), join(cluster.directory, 'hold_import'), { recursive: true })
  const path = join(cluster.directory, 'bin/held')
  const hold = `case "$*" in *scheduler*) export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH='${cluster.directory}/hold_import';; esac`
  await writeFile(path, `#!/bin/sh\n${hold}\nexec '${python}' "$@"\n`, { mode: 0o755 })
  return path
}

describe.for(pythons())('with %s', ([, named]) => {
  const python = named === 'python3' ? ownPython : (named ?? '')

  test.skipIf(python === '')('clients that come before their scheduler listens get their results', async () => {
    await using cluster = await Cluster.make()
    const own = [python, join(programs, 'early_client.py')]
    const inNode = python === ownPython ? `'${process.execPath}' '${await compile(cluster, 'early-client')}'` : 'true'
    const command = ['sh', '-c', `${own.map((word) => `'${word}'`).join(' ')} & ${inNode} && wait $!`]
    const options = ['--python', await heldPython(cluster, python), '--rendezvous-timeout', '4m']
    const run = cluster.run(['local', '-n', '3', ...options, '--', ...command])
    await run.expectOutput('tries for')
    await writeFile(join(cluster.directory, 'go-import'), '')
    await run.expectStatus(0)
    expect(run.stdout).toContain('tries for 240s')
    for (const way of ['nothing', 'address', 'file']) expect(run.stdout).toContain(`by ${way} 21\n`)
    if (python === ownPython) expect(run.stdout.match(/^in TypeScript 21$/gm)).toHaveLength(2)
    await cluster.expectNothingLeft()
  })
})

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Cluster, programs, python as ownPython } from '../support/cluster.ts'
import { goImport, heldPython } from '../support/held-python.ts'
import { compile } from '../support/library-program.ts'
import { pythons } from '../support/pythons.ts'

describe.for(pythons())('with %s', ([, named]) => {
  const python = named === 'python3' ? ownPython : (named ?? '')

  test.skipIf(python === '')(
    'clients and workers that come before their scheduler listens are served, however long Dask itself would try',
    async () => {
      await using cluster = await Cluster.make()
      const own = [python, join(programs, 'early_client.py')]
      const inNode = python === ownPython ? `'${process.execPath}' '${await compile(cluster, 'early-client')}'` : 'true'
      const command = ['sh', '-c', `${own.map((word) => `'${word}'`).join(' ')} & ${inNode} && wait $!`]
      const options = ['--python', await heldPython(cluster, python), '--rendezvous-timeout', '4m']
      const run = cluster.run(['local', '-n', '3', ...options, '--', ...command])
      await run.expectOutput('tries for')
      await run.expectOutput('the worker has tried')
      await writeFile(goImport(cluster), '')
      await run.expectStatus(0)
      expect(run.stdout).toContain('tries for 240s')
      for (const way of ['nothing', 'address', 'file', 'own worker']) expect(run.stdout).toContain(`by ${way} 21\n`)
      if (python === ownPython) expect(run.stdout.match(/^in TypeScript 21$/gm)).toHaveLength(2)
      // Of the worker that the program has started itself.
      cluster.expectTemporary('dask-*-space')
      await cluster.expectNothingLeft()
    },
  )
})

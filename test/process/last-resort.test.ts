import { writeFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { Cluster, python } from '../support/cluster.ts'

it.each([
  ['an exception', "throw new Error('unforeseen')"],
  ['a rejection', "void Promise.reject(new Error('unforeseen'))"],
])('%s that nobody has foreseen ends the program with 70, a sentence and nothing left', async (_, defect) => {
  await using cluster = await Cluster.make()
  const module = `${cluster.directory}/defect.cjs`
  await writeFile(module, `if (process.argv[2] === 'local') setTimeout(() => { ${defect} }, 1500)`)
  const args = ['local', '-n', '2', '--python', python, '--', 'sleep', '300']
  const started = cluster.run(args, { NODE_OPTIONS: `--require=${module}` })
  await started.expectStatus(70)
  expect(started.stderr).toContain('dask-hpc-runner: error: error of dask-hpc-runner (70): unforeseen')
  expect(started.output).not.toMatch(/^\s+at .*\(/m)
  await cluster.expectNothingLeft()
})

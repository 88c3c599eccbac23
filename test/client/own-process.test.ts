import { expect, test } from 'vitest'
import { makeFunction } from '../../src/client/javascript/compile.ts'
import { LocalRunner } from '../../src/index.ts'
import { refuseInImport } from '../../src/util/own-process.ts'

test('a module that starts a cluster when a worker imports it is refused, whoever starts one otherwise is not', async () => {
  const module = new URL('fixtures/starts-cluster.ts', import.meta.url).href
  await expect(makeFunction({ name: 'area', module, export: 'area' })).rejects.toThrow(
    /^Cannot import ".*starts-cluster.ts" on this worker: Cannot start a cluster: a worker imports this module for a function that it exports; move that function to a file of its own/,
  )
  expect(refuseInImport).not.toThrow()
  await expect(LocalRunner.start({ ntasks: 0 })).rejects.toThrow('Cannot use ntasks "0"')
})

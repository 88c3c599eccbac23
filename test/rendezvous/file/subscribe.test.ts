import { linkSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { subscribe } from '../../../src/rendezvous/file/watch.ts'
import { until } from '../../support/until.ts'
import { temporaryDirectory } from './support/directory.ts'

test('what is linked, renamed into and removed from a local directory gives a hint', async () => {
  const directory = temporaryDirectory()
  const file = join(temporaryDirectory(), 'file')
  writeFileSync(file, 'text')
  let hints = 0
  const errors: unknown[] = []
  const end = await subscribe(directory, {
    onHint: () => hints++,
    onError: (error) => errors.push(error),
  })
  onTestFinished(end)
  for (const change of [
    () => linkSync(file, join(directory, 'linked')),
    () => renameSync(file, join(directory, 'renamed')),
    () => unlinkSync(join(directory, 'linked')),
  ]) {
    const before = hints
    change()
    await until(
      () => hints,
      (seen) => seen > before,
      { what: 'a hint', say: String },
    )
  }
  expect(errors).toEqual([])
})

test('a directory that is not there is waited for as little as one that is', async () => {
  const end = await subscribe(join(temporaryDirectory(), 'none'), { onHint: () => undefined, onError: () => undefined })
  end()
})

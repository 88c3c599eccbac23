import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isTemporaryName } from '../../../src/filesystem/temporary-name.ts'
import { publishFile } from '../../../src/rendezvous/file/publish.ts'
import { sleep } from '../../../src/util/wait.ts'
import { inMemory, temporaryDirectory } from './support/directory.ts'
import { buildProgram, type Program, start } from './support/programs.ts'
import { fileOf, ownerOf } from './support/run.ts'

test('4,000 publications by two processes show no reader anything but a whole file', async () => {
  const path = join(temporaryDirectory(inMemory()), 's.json')
  const readers = await startReaders(path)
  const publisher = await buildProgram('publisher')
  await Promise.all(
    [1, 2].map(async () => {
      const program = start(publisher, path, '2000')
      await program.nextLine()
      await program.finish()
      expect(program.child.exitCode).toBe(0)
    }),
  )
  await expectOnlyWholeFiles(readers)
})

test('60 publishers killed at random moments show no reader anything but a whole file', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 's.json')
  const readers = await startReaders(path)
  const publisher = await buildProgram('publisher')
  let left = 60
  const killSome = async (): Promise<void> => {
    while (left-- > 0) {
      const program = start(publisher, path, '1000000')
      await program.nextLine()
      await sleep(Math.random() * 5)
      await program.kill()
    }
  }
  await Promise.all([killSome(), killSome(), killSome()])
  await expectOnlyWholeFiles(readers)
  // What the killed ones leave is known by its name, so that the next run clears it.
  const rest = (await readdir(directory)).filter((name) => name !== 's.json')
  expect(rest.filter((name) => !isTemporaryName(name, 's.json'))).toEqual([])
})

async function startReaders(path: string): Promise<Program[]> {
  const first = { ...fileOf(ownerOf('first')), padding: 'x'.repeat(20_000) }
  await publishFile(path, JSON.stringify(first))
  const reader = await buildProgram('reader')
  const readers = [start(reader, path), start(reader, path)]
  await Promise.all(readers.map(async (program) => program.nextLine()))
  return readers
}

async function expectOnlyWholeFiles(readers: readonly Program[]): Promise<void> {
  for (const reader of readers) {
    reader.child.stdin?.end()
    const seen = JSON.parse(await reader.nextLine()) as { reads: number; bad: string[] }
    expect(seen.bad).toEqual([])
    expect(seen.reads).toBeGreaterThan(1000)
  }
}

import { readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { formatSchedulerFile } from '../../../src/record/parse.ts'
import { temporaryDirectory } from './support/directory.ts'
import { buildProgram, type Program, start } from './support/programs.ts'
import { fileOf, ownerOf, portThat } from './support/run.ts'

async function contenders(path: string, count: number): Promise<Program[]> {
  const program = await buildProgram('contender')
  const started = Array.from({ length: count }, (_, i) => start(program, path, `run-${i}`))
  for (const each of started) expect(await each.nextLine()).toBe('ready')
  return started
}

async function publish(program: Program): Promise<string> {
  program.child.stdin?.write('publish\n')
  return await program.nextLine()
}

test('of two live runs on one path the second is told so, and the first is unharmed', async () => {
  const path = join(temporaryDirectory(), 's.json')
  const [first, second] = await contenders(path, 2)
  if (first === undefined || second === undefined) throw new Error('not started')
  expect(await publish(first)).toBe('won')
  const published = await readFile(path, 'utf8')
  expect(await publish(second)).toMatch(/run run-0 on host \S+ \(process id \d+\) is using it/)
  await second.finish()
  expect(await readFile(path, 'utf8')).toBe(published)
  expect((await readdir(dirname(path))).toSorted()).toEqual(['.s.json.run-run-0', 's.json'])
  await first.finish()
  expect(await readdir(dirname(path))).toEqual([])
})

test('of several runs that replace the file of a dead run at once exactly one wins', async () => {
  const path = join(temporaryDirectory(), 's.json')
  const port = await portThat(false)
  const dead = ownerOf('dead', { control: { addresses: ['127.0.0.1'], port, network: 'n' } })
  for (let round = 0; round < 3; round++) {
    await writeFile(path, formatSchedulerFile(fileOf(dead, `tcp://127.0.0.1:${port}`)))
    const started = await contenders(path, 6)
    const said = await Promise.all(started.map(publish))
    expect(
      said.filter((line) => line === 'won'),
      said.join('\n'),
    ).toHaveLength(1)
    expect(said.filter((line) => line.includes('is using it'))).toHaveLength(5)
    await Promise.all(started.map(async (each) => each.finish()))
    expect(await readdir(dirname(path))).toEqual([])
  }
})

test('what a killed run leaves is cleared by the next', async () => {
  const path = join(temporaryDirectory(), 's.json')
  const [first, second] = await contenders(path, 2)
  if (first === undefined || second === undefined) throw new Error('not started')
  expect(await publish(first)).toBe('won')
  await first.kill()
  expect(await readdir(dirname(path))).toContain('.s.json.run-run-0')
  expect(await publish(second)).toBe('won')
  expect(await readdir(dirname(path))).not.toContain('.s.json.run-run-0')
  await second.finish()
  expect(await readdir(dirname(path))).toEqual([])
})

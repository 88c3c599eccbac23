import { execFileSync } from 'node:child_process'
import { link, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test as base } from 'vitest'
import { RotatingFile } from '../../src/filesystem/rotating-file.ts'
import { Cluster } from '../support/cluster.ts'

const test = base.extend<{ directory: string }>({
  // eslint-disable-next-line no-empty-pattern -- vitest reads the names of what it needs
  directory: async ({}, use) => {
    await using cluster = await Cluster.make()
    await use(cluster.work)
  },
})

/** Whole lines, as they come. */
function lines(...texts: readonly string[]): Buffer {
  return Buffer.from(texts.map((text) => `${text}\n`).join(''))
}

test('has each line at once, and is for this user alone', async ({ directory }) => {
  const file = new RotatingFile(join(directory, 'log'), 1_000)
  file.add(lines('one'))
  file.add(lines('two'))
  expect(await readFile(file.path, 'utf8')).toBe('one\ntwo\n')
  expect((await stat(file.path)).mode & 0o777).toBe(0o600)
  file.close()
})

test('goes on behind what stands there', async ({ directory }) => {
  const path = join(directory, 'log')
  await writeFile(path, 'of an earlier run\n')
  const file = new RotatingFile(path, 1_000)
  file.add(lines('one'))
  file.close()
  expect(await readFile(path, 'utf8')).toBe('of an earlier run\none\n')
})

test('takes no more than its limit with the one before it, whatever comes, and ends with what came last', async ({
  directory,
}) => {
  const file = new RotatingFile(join(directory, 'log'), 1_000)
  for (let i = 0; i < 1_000; i++) file.add(lines(`line ${i} ${'x'.repeat(i % 90)}`))
  file.add(lines('y'.repeat(5_000)))
  for (let i = 0; i < 3; i++) file.add(lines(`last ${i}`))
  file.close()
  const sizes = await Promise.all(
    (await readdir(directory)).map(async (name) => (await stat(join(directory, name))).size),
  )
  expect(sizes.length).toBe(2)
  expect(sizes.reduce((a, b) => a + b)).toBeLessThanOrEqual(1_000)
  expect(await readFile(file.path, 'utf8')).toBe('last 0\nlast 1\nlast 2\n')
  expect(await readFile(`${file.path}.1`, 'utf8')).toBe(`${'y'.repeat(499)}\n`)
})

test('takes lines that come together apart where a file is full, and loses none of the last ones', async ({
  directory,
}) => {
  const file = new RotatingFile(join(directory, 'log'), 1_000)
  const all = Array.from({ length: 500 }, (_, i) => `line ${i} ${'x'.repeat(i % 90)}`)
  file.add(lines('begin'))
  file.add(lines(...all, 'y'.repeat(5_000), ...all))
  file.close()
  const kept = (await Promise.all([`${file.path}.1`, file.path].map(async (each) => readFile(each, 'utf8')))).join('')
  expect(kept.length).toBeLessThanOrEqual(1_000)
  expect(kept.split('\n').slice(0, -1)).toEqual(all.slice(1 - kept.split('\n').length))
})

test('follows no link and waits for no pipe, and leaves what is not its own', async ({ directory }) => {
  const precious = join(directory, 'precious')
  await writeFile(precious, 'precious')
  await symlink(precious, join(directory, 'linked'))
  await link(precious, join(directory, 'second'))
  execFileSync('mkfifo', [join(directory, 'pipe')])
  await mkdir(join(directory, 'directory'))
  const refused = (name: string) => () => {
    new RotatingFile(join(directory, name), 1_000).add(lines('one'))
  }
  expect(refused('linked')).toThrow('it is a symbolic link')
  expect(refused('second')).toThrow('it has a second name')
  expect(refused('pipe')).toThrow('it is a named pipe')
  expect(refused('directory')).toThrow('EISDIR')
  expect(await readFile(precious, 'utf8')).toBe('precious')
})

test('is made anew where it was taken away, within a second', async ({ directory }) => {
  const path = join(directory, 'log')
  const file = new RotatingFile(path, 100_000)
  file.add(lines('one'))
  await rename(path, join(directory, 'away'))
  const end = performance.now() + 30_000
  while (!(await readdir(directory)).includes('log') && performance.now() < end) file.add(lines('two'))
  expect(await readFile(path, 'utf8')).toMatch(/^(two\n)+$/)
  file.close()
})

test('is made anew where it was taken away and is full', async ({ directory }) => {
  const path = join(directory, 'log')
  const file = new RotatingFile(path, 16)
  file.add(lines('one'))
  await rename(path, join(directory, 'away'))
  file.add(lines('two two'))
  file.close()
  expect(await readFile(path, 'utf8')).toBe('two two\n')
  expect((await readdir(directory)).sort()).toEqual(['away', 'log'])
})

test('fails where its directory is gone, and works again when that is there', async ({ directory }) => {
  const inside = join(directory, 'inside')
  const file = new RotatingFile(join(inside, 'log'), 1_000)
  expect(() => {
    file.add(lines('one'))
  }).toThrow('ENOENT')
  await mkdir(inside)
  file.add(lines('two'))
  file.close()
  expect(await readFile(file.path, 'utf8')).toBe('two\n')
  await rm(inside, { recursive: true })
})

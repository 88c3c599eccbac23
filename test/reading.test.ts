import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/reading.md'), 'utf8')
const listed = [...page.matchAll(/^(\d+)\. \[(\S+)\]\(\.\.\/(\S+)\): \S/gm)].map(([, number, name, path]) => ({
  number: Number(number),
  name,
  path: path ?? '',
}))
const paths = listed.map(({ path }) => path)

it('reading.md lists at most 45 files, each once and by its own name', () => {
  expect(paths.length).toBeGreaterThan(30)
  expect(paths.length).toBeLessThanOrEqual(45)
  expect(new Set(paths).size).toBe(paths.length)
  expect(listed.map(({ number }) => number)).toEqual(paths.map((_, i) => i + 1))
  expect(listed.map(({ name }) => name)).toEqual(paths)
})

it('each file of reading.md exists, and the run of cli/main.ts leads to it by files that are listed', () => {
  const reached = new Set(['src/cli/main.ts'])
  for (const path of reached) for (const next of importsOf(path)) if (paths.includes(next)) reached.add(next)
  expect(paths.filter((path) => !reached.has(path))).toEqual([])
})

it('each file that reading.md names for a subject exists', () => {
  const rest = page.slice(page.indexOf('## What this leaves out'))
  const rows = rest.split('\n').filter((line) => line.startsWith('| ') && line.includes('`'))
  expect(rows.length).toBeGreaterThan(5)
  const missing = rows.flatMap((row) => {
    let directory = ''
    return [...row.matchAll(/`([\w./-]+\.\w+|[\w/-]+\/)`/g)].flatMap(([, name = '']) => {
      directory = name.includes('/') ? dirname(join('src', name)) : directory
      return existsSync(join(root, 'src', name)) || existsSync(join(root, directory, name)) ? [] : [name]
    })
  })
  expect(missing).toEqual([])
})

function importsOf(path: string): readonly string[] {
  const text = readFileSync(join(root, path), 'utf8')
  return [...text.matchAll(/'(\.\.?\/[^']+)'/g)].map(([, target = '']) => join(dirname(path), target))
}

import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { expect, it } from 'vitest'

const source = join(import.meta.dirname, '../src')

it('no file of src/, in whichever language, has more than 400 lines', () => {
  const files = readdirSync(source, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const lengths = files.map(({ parentPath, name }) => {
    const path = join(parentPath, name)
    return [path, readFileSync(path, 'utf8').trimEnd().split('\n').length] as const
  })
  expect(new Set(lengths.map(([path]) => extname(path)))).toEqual(new Set(['.ts', '.py', '.sh']))
  expect(lengths.filter(([, lines]) => lines > 400)).toEqual([])
})

import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { foreignHand, foreignHandInTree } from '../../src/util/foreign-hand.ts'
import { temporaryDirectory } from '../process/support/processes.ts'

/** A file in a directory in a directory, all of this user alone. */
function place(): { above: string; folder: string; file: string } {
  const root = temporaryDirectory()
  const above = join(root, 'above')
  const folder = join(above, 'folder')
  const file = join(folder, 'file')
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  writeFileSync(file, '', { mode: 0o644 })
  return { above, folder, file }
}

test('what nobody else can write is trusted, below a sticky directory too', () => {
  const { above, folder, file } = place()
  expect(foreignHand(file)).toBeUndefined()
  chmodSync(above, 0o1777)
  expect(foreignHand(file)).toBeUndefined()
  expect(foreignHandInTree(folder)).toBeUndefined()
})

test.for([
  ['the file', 0o666, 'file'],
  ['its directory', 0o777, 'folder'],
  ['a directory above', 0o777, 'above'],
  ['its sticky directory, where it is the directory of a package', 0o1777, 'folder'],
] as const)('who may write %s is named', ([, mode, which]) => {
  const all = place()
  chmodSync(all[which], mode)
  expect(foreignHandInTree(all.folder)).toBe(`everybody may write "${all[which]}" (mode ${mode.toString(8)})`)
})

test('a link is followed to what would be loaded', () => {
  const { above, folder, file } = place()
  const other = place()
  symlinkSync(file, join(other.folder, 'link'))
  expect(foreignHandInTree(other.folder)).toBeUndefined()
  expect(foreignHand(join(other.folder, 'link'))).toBeUndefined()
  chmodSync(above, 0o777)
  for (const found of [foreignHandInTree(other.folder), foreignHand(join(other.folder, 'link'))])
    expect(found).toBe(`everybody may write "${above}" (mode 777)`)
  expect(foreignHand(folder)).toContain('everybody')
})

test.skipIf(process.getuid?.() !== 0)('owners and groups', () => {
  const { above, folder, file } = place()
  chownSync(folder, 60_602, 0)
  expect(foreignHand(file)).toBe(`"${folder}" belongs to the user 60602`)
  // Whoever owns the program as well.
  expect(foreignHand(file, [60_602])).toBeUndefined()
  chownSync(folder, 0, 60_603)
  chmodSync(folder, 0o2775)
  expect(foreignHand(file)).toBe(`the group 60603 may write "${folder}" (mode 2775)`)
  // The group of root alone, which is that of this test's user.
  chownSync(folder, 0, 0)
  expect(foreignHand(file)).toBeUndefined()
  chownSync(above, 60_602, 0)
  chmodSync(above, 0o1777)
  expect(foreignHand(file)).toBe(`"${above}" belongs to the user 60602`)
})

import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { foreignHand, foreignHandInTree, foreignHandOnNames } from '../../src/util/foreign-hand.ts'
import { temporaryPlace } from '../../src/util/temporary-place.ts'
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

test('in a directory of names, nobody else may rename on the whole way, links included', async () => {
  const { above, folder } = place()
  expect(await foreignHandOnNames(folder)).toBeUndefined()
  for (const directory of [folder, above]) {
    chmodSync(directory, 0o1777)
    expect(await foreignHandOnNames(folder)).toBeUndefined()
    chmodSync(directory, 0o777)
    expect(await foreignHandOnNames(folder)).toBe(`everybody may write "${directory}" (mode 777)`)
    chmodSync(directory, 0o755)
  }
  // A link of ours, where somebody else could put another: not only where it leads to counts.
  const other = place()
  const link = join(other.folder, 'link')
  symlinkSync(folder, link)
  symlinkSync('folder/../folder/link', join(other.above, 'second'))
  expect(await foreignHandOnNames(join(other.above, 'second'))).toBeUndefined()
  chmodSync(other.folder, 0o777)
  for (const path of [link, join(other.above, 'second')])
    expect(await foreignHandOnNames(path)).toBe(`everybody may write "${other.folder}" (mode 777)`)
  chmodSync(other.folder, 0o755)
  chmodSync(above, 0o777)
  expect(await foreignHandOnNames(join(other.above, 'second'))).toBe(`everybody may write "${above}" (mode 777)`)
  chmodSync(above, 0o755)
  symlinkSync('round', join(folder, 'round'))
  await expect(foreignHandOnNames(join(folder, 'round'))).rejects.toThrow('more than 40 symbolic links')
})

test('TMPDIR gives way to /tmp where others can rename in it', async () => {
  const { folder } = place()
  expect(await temporaryPlace(folder)).toEqual({ path: folder })
  expect(await temporaryPlace('/proc/nope')).toEqual({ path: '/proc/nope' })
  chmodSync(folder, 0o777)
  expect(await temporaryPlace(folder)).toEqual({ path: '/tmp', why: `everybody may write "${folder}" (mode 777)` })
})

test.skipIf(process.getuid?.() !== 0)('owners and groups of names', async () => {
  const { above, folder } = place()
  chownSync(folder, 0, 60_603)
  chmodSync(folder, 0o2770)
  expect(await foreignHandOnNames(folder)).toBe(`the group 60603 may write "${folder}" (mode 2770)`)
  chmodSync(folder, 0o3770)
  expect(await foreignHandOnNames(folder)).toBeUndefined()
  // The owner of a sticky directory may rename all in it, and so may that of a link there.
  chownSync(above, 60_602, 0)
  expect(await foreignHandOnNames(folder)).toBe(`"${above}" belongs to the user 60602`)
  chownSync(above, 0, 0)
  const link = join(folder, 'link')
  symlinkSync(above, link)
  lchownSync(link, 60_602, 60_602)
  expect(await foreignHandOnNames(link)).toBe(`"${link}" belongs to the user 60602`)
})

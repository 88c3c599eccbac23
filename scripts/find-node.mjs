// Finds a Node of another line than this one: the npm package of its binaries, unpacked into the cache.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isExecutable, succeeds } from './debian.mjs'
import { cache } from './unpack-debian.mjs'

/**
 * The newest Node of a line when it was first asked for.
 *
 * @param {string} line such as `22`, or one version of it
 * @returns {string} the executable
 * @throws Error where it is not to be had, with the reason
 */
export function findNode(line) {
  const directory = join(cache, `node-${line}`)
  const node = join(directory, 'package/bin/node')
  if (isExecutable(node)) return node
  const wanted = `node-${process.platform}-${process.arch}@${line}`
  process.stderr.write(`Node ${line}: getting the npm package ${wanted}\n`)
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(`${directory}.`)
  try {
    const packed = succeeds('npm', ['pack', '--silent', wanted, '--pack-destination', folder], 300_000)
    const file = packed ? readdirSync(folder).find((name) => name.endsWith('.tgz')) : undefined
    if (file === undefined || !succeeds('tar', ['-xzf', join(folder, file), '-C', folder], 120_000))
      throw new Error(`Cannot get Node ${line}: the npm registry did not give ${wanted}`)
    if (!succeeds(join(folder, 'package/bin/node'), ['--version'], 20_000))
      throw new Error(`Cannot use Node ${line}: ${wanted} does not run on this machine`)
    rmSync(join(folder, file))
    rmSync(directory, { recursive: true, force: true })
    renameSync(folder, directory)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return node
}

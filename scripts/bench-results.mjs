// Vitest's global set-up of the benchmarks: at the end, everything that is in .cache/bench becomes one
// results.json, and its tables one results.txt; the plots stand beside them.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const directory = join(import.meta.dirname, '../.cache/bench')

export default function setup() {
  return async () => {
    const files = await readdir(directory).catch(() => [])
    const names = files.filter((name) => name.endsWith('.json') && name !== 'results.json').sort()
    /** @type {[string, { date: string, text?: string }][]} */
    const results = await Promise.all(
      names.map(async (name) => [name.slice(0, -5), JSON.parse(await readFile(join(directory, name), 'utf8'))]),
    )
    if (results.length === 0) return
    const tables = results.map(([name, { date, text = '' }]) => `== ${name}, ${date}\n${text}\n`)
    await writeFile(join(directory, 'results.json'), `${JSON.stringify(Object.fromEntries(results), undefined, 2)}\n`)
    await writeFile(join(directory, 'results.txt'), tables.join(''))
  }
}

// Keeps of the declarations those that src/index.ts leads to, which are all that users of the library see. They may
// import nothing but each other and Node's own modules: whoever installs the package gets no other.
import { readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const types = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist', 'types')

/** @type {Set<string>} */
const reached = new Set()

/** @param {string} path of a declaration file */
async function reach(path) {
  if (reached.has(path)) return
  reached.add(path)
  const code = (await readFile(path, 'utf8')).replace(/\/\*[^]*?\*\//g, '')
  for (const [, name = ''] of code.matchAll(/(?:from|import|import\()\s*'([^']+)'/g)) {
    if (name.startsWith('.')) await reach(join(dirname(path), name.replace(/\.ts$/, '.d.ts')))
    else if (!name.startsWith('node:'))
      throw new Error(
        `Cannot publish the declarations: "${relative(types, path)}" imports "${name}"; write its types out`,
      )
  }
}

await reach(join(types, 'index.d.ts'))
for (const entry of await readdir(types, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  if (entry.isFile() && !reached.has(path)) await rm(path)
}

// Bundles the library and the program into one file each, with everything they need: reading one
// file is what keeps the start of n processes on a shared filesystem cheap.
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as bundle } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(root, 'dist')

// CommonJS packages inside the bundles call require() for Node's own modules.
const requireBanner = [
  "import { createRequire as __createRequire } from 'node:module'",
  'const require = __createRequire(import.meta.url)',
].join('\n')

/** Builds dist/index.js and dist/cli.js. Declarations are the TypeScript compiler's part. */
export async function build() {
  const inputs = await Promise.all([
    bundleOne('src/index.ts', 'index.js', requireBanner, 0o644),
    bundleOne('src/cli/main.ts', 'cli.js', `#!/usr/bin/env node\n${requireBanner}`, 0o755),
  ])
  await replaceFile(join(dist, 'THIRD-PARTY.txt'), await licences(inputs.flat()), 0o644)
}

/**
 * @param {string} entry
 * @param {string} name
 * @param {string} banner
 * @param {number} mode
 */
async function bundleOne(entry, name, banner, mode) {
  const result = await bundle({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join('dist', name),
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // Node 20 has no `await using`, whatever esbuild may know of its minor versions.
    supported: { using: false },
    loader: { '.py': 'text', '.sh': 'text' },
    banner: { js: banner },
    legalComments: 'none', // THIRD-PARTY.txt has the licences in full
    logLevel: 'warning',
  })
  for (const file of result.outputFiles) await replaceFile(file.path, file.text, mode)
  return Object.keys(result.metafile.inputs)
}

/**
 * Renaming into place lets programs that are being started meanwhile read a whole file.
 *
 * @param {string} path
 * @param {string} text
 * @param {number} mode
 */
async function replaceFile(path, text, mode) {
  await mkdir(dirname(path), { recursive: true })
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`)
  await writeFile(temporary, text, { mode })
  await rename(temporary, path)
}

/**
 * The licence of every package that the bundles contain.
 *
 * @param {readonly string[]} inputs
 */
async function licences(inputs) {
  const folders = new Set(inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []))
  const parts = [...folders].sort().map(async (folder) => {
    const { name, version, license } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'))
    const file = (await readdir(join(root, folder))).find((entry) => /^licen[cs]e/i.test(entry))
    if (file === undefined) throw new Error(`Cannot collect the licences: "${folder}" has no licence file`)
    return `${name} ${version} (${license})\n\n${(await readFile(join(root, folder, file), 'utf8')).trim()}\n`
  })
  const rule = `\n${'-'.repeat(80)}\n\n`
  return ['dist/index.js and dist/cli.js contain these packages.\n', ...(await Promise.all(parts))].join(rule)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build()

// Bundles the library and the program into one file each, with everything they need: reading one
// file is what keeps the start of n processes on a shared filesystem cheap.
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as bundle } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(root, 'dist')

// CommonJS packages inside the bundles call require() for Node's own modules.
const requireBanner = 'const require = (name) => process.getBuiltinModule(name)'

// A CommonJS file has no import.meta.
const programBanner = "const __moduleUrl = require('node:url').pathToFileURL(__filename).href"

/** Builds dist/index.js and dist/cli.cjs. Declarations are the TypeScript compiler's part. */
export async function build() {
  const program = await buildProgram('src/cli/main.ts')
  const library = await buildLibrary('src/index.ts', program.stamp)
  await replaceFile(join(dist, 'cli.cjs'), program.text, 0o755)
  await replaceFile(join(dist, 'index.js'), library.text, 0o644)
  const inputs = [program.inputs, library.inputs]
  await replaceFile(join(dist, 'THIRD-PARTY.txt'), await licences(inputs.flat()), 0o644)
}

/**
 * A program that is sent elsewhere as text: `import text from './x.ts?program'`.
 *
 * @type {import('esbuild').Plugin}
 */
const programs = {
  name: 'programs',
  setup(build) {
    build.onResolve({ filter: /\?program$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace(/\?program$/, '')),
      namespace: 'program',
    }))
    build.onLoad({ filter: /.*/, namespace: 'program' }, async ({ path }) => {
      const { text, inputs } = await programText(path)
      return { contents: text, loader: 'text', watchFiles: inputs }
    })
  },
}

/**
 * A program and all that it imports as one script.
 *
 * @param {string} path of its main file
 */
export async function programText(path) {
  const result = await bundle({
    absWorkingDir: root,
    entryPoints: [path],
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    platform: 'node',
    format: 'iife',
    target: 'node20.19',
    legalComments: 'none',
    logLevel: 'warning',
  })
  return { text: result.outputFiles[0]?.text ?? '', inputs: Object.keys(result.metafile.inputs) }
}

/**
 * @param {string} entry
 * @returns {import('esbuild').BuildOptions & { metafile: true, write: false }}
 */
function settings(entry) {
  return {
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // Node 20 has no `await using`, whatever esbuild may know of its minor versions.
    supported: { using: false },
    loader: { '.py': 'text', '.sh': 'text' },
    // Native, and loaded only where it is asked for.
    external: ['koffi'],
    plugins: [programs],
    legalComments: 'none', // THIRD-PARTY.txt has the licences in full
    logLevel: 'warning',
  }
}

/**
 * @param {string} entry
 * @param {string} stamp by which the library knows its program
 */
async function buildLibrary(entry, stamp) {
  const result = await bundle({
    ...settings(entry),
    define: { buildStamp: JSON.stringify(stamp) },
    banner: { js: requireBanner },
    // Else console.log of an array says _NDArray, as esbuild calls a class that names itself.
    keepNames: true,
  })
  // Only comments have others. With one of them V8 keeps the whole text with two bytes a character.
  const text = (result.outputFiles[0]?.text ?? '').replace(/[^\0-\x7f]/g, '?')
  return { text, inputs: Object.keys(result.metafile.inputs) }
}

/** @param {string} entry */
async function buildProgram(entry) {
  const result = await bundle({
    ...settings(entry),
    format: 'cjs',
    define: { 'import.meta.url': '__moduleUrl', buildStamp: '""' },
    banner: { js: programBanner },
    // Names stay, so that a stack trace still tells where it comes from.
    minifySyntax: true,
    minifyWhitespace: true,
  })
  const text = result.outputFiles[0]?.text ?? ''
  const { name, version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const stamp = `${name} ${version} ${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  const inputs = Object.keys(result.metafile.inputs)
  return { text: `#!/usr/bin/env node\n// ${stamp}\n${text}`, stamp, inputs }
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
    return `${name} ${version} (${license})\n\n${await licenceText(join(root, folder))}\n`
  })
  const rule = `\n${'-'.repeat(80)}\n\n`
  return ['dist/index.js and dist/cli.cjs contain these packages.\n', ...(await Promise.all(parts))].join(rule)
}

/**
 * A package's licence: in a file of its own, or the last part of its README.
 *
 * @param {string} folder
 */
async function licenceText(folder) {
  const names = await readdir(folder)
  const own = names.find((name) => /^licen[cs]e/i.test(name))
  if (own !== undefined) return (await readFile(join(folder, own), 'utf8')).trim()
  const readme = names.find((name) => /^readme/i.test(name))
  const text = readme === undefined ? '' : await readFile(join(folder, readme), 'utf8')
  const found = /^#+ Licen[cs]e\s+([\s\S]*)/im.exec(text)?.[1]
  if (found === undefined) throw new Error(`Cannot collect the licences: "${folder}" has no licence`)
  return found.trim()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build()

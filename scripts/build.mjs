// Bundles the library and the program into one file each, with everything they need: reading one
// file is what keeps the start of n processes on a shared filesystem cheap. In the program's file each
// part that is loaded by an `import()` of its own stands as text, which costs nothing until it is.
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as bundle, transform } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(root, 'dist')

// CommonJS packages inside the bundles call require() for Node's own modules.
const requireBanner = [
  "import { createRequire as __createRequire } from 'node:module'",
  'const require = __createRequire(import.meta.url)',
].join('\n')

/** Builds dist/index.js and dist/cli.cjs. Declarations are the TypeScript compiler's part. */
export async function build() {
  const inputs = await Promise.all([
    buildLibrary('src/index.ts', 'index.js'),
    buildProgram('src/cli/main.ts', 'cli.cjs'),
  ])
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
 * Commander asks for the module that starts processes as soon as it is loaded, and needs it for
 * commands that are programs of their own, which we have none of.
 *
 * @type {import('esbuild').Plugin}
 */
const lateProcesses = {
  name: 'late-processes',
  setup(build) {
    build.onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      /node_modules\/commander\//.test(importer) ? { path: 'child_process', namespace: 'late' } : undefined,
    )
    build.onLoad({ filter: /.*/, namespace: 'late' }, () => ({
      contents: "module.exports = { spawn: (...all) => require('child_process').spawn(...all) }",
    }))
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
    plugins: [programs, lateProcesses],
    legalComments: 'none', // THIRD-PARTY.txt has the licences in full
    logLevel: 'warning',
  }
}

/**
 * @param {string} entry
 * @param {string} name
 */
async function buildLibrary(entry, name) {
  const options = { ...settings(entry), outfile: join('dist', name), banner: { js: requireBanner } }
  const result = await bundle(options)
  await replaceFile(join(dist, name), result.outputFiles?.[0]?.text ?? '', 0o644)
  return Object.keys(result.metafile.inputs)
}

/**
 * One CommonJS file of all parts, one part for each of our modules and for what a group of them takes from
 * a package. A part is text until something in it is used, and so are the modules that it imports, Node's own
 * included: the whole of it would cost as much as three starts of Node itself.
 *
 * @param {string} entry
 * @param {string} name
 */
async function buildProgram(entry, name) {
  const whole = await bundle(settings(entry))
  const result = await bundle({
    ...settings(entry),
    entryPoints: Object.keys(whole.metafile.inputs).filter((input) => /^src\/.*\.ts$/.test(input)),
    outbase: 'src',
    outdir: 'parts',
    splitting: true,
    chunkNames: '[name]-[hash]',
  })
  const names = partNames(result.metafile.outputs)
  const texts = new Map(
    await Promise.all(
      result.outputFiles.map(async ({ path, text }) => {
        const output = relative(root, path)
        return /** @type {const} */ ([names.get(output) ?? '', await partText(output, text, names)])
      }),
    ),
  )
  const start = relative('src', entry)
  const text = programFile(start, new Map(reachable(start, texts).map((part) => [part, texts.get(part) ?? ''])))
  await replaceFile(join(dist, name), text, 0o755)
  return Object.keys(whole.metafile.inputs)
}

/**
 * What each part is called: by the module of ours that it is of, as stack traces show it.
 *
 * @param {import('esbuild').Metafile['outputs']} outputs
 */
function partNames(outputs) {
  const names = new Map()
  const taken = new Set()
  // A module that others import is a chunk, and its entry re-exports that.
  const byContent = Object.entries(outputs).sort(
    ([, a], [, b]) => Object.keys(b.inputs).length - Object.keys(a.inputs).length,
  )
  for (const [output, { inputs, entryPoint }] of byContent) {
    const [own] = Object.keys(inputs)
    const wanted = (own ?? entryPoint ?? output).replace(/^src\//, '').replace(/^.*node_modules\//, '')
    let name = wanted
    for (let n = 2; taken.has(name); n++) name = `${wanted}-${n}`
    taken.add(name)
    names.set(output, name)
  }
  return names
}

/**
 * The parts that may be loaded where `first` is.
 *
 * @param {string} first
 * @param {ReadonlyMap<string, string>} texts
 */
function reachable(first, texts) {
  const found = new Set([first])
  for (const part of found)
    for (const [, name = ''] of (texts.get(part) ?? '').matchAll(/\brequire\("([^"]+)"\)/g))
      if (texts.has(name)) found.add(name)
  return [...found]
}

/**
 * A part as CommonJS whose imports wait until they are used.
 *
 * @param {string} output
 * @param {string} text
 * @param {ReadonlyMap<string, string>} names
 */
async function partText(output, text, names) {
  /** @type {import('esbuild').TransformOptions} */
  const common = { platform: 'node', target: 'node20.19', supported: { 'dynamic-import': false, using: false } }
  const { code } = await transform(text, { ...common, format: 'cjs', define: { 'import.meta': '__here' } })
  const named = withoutHelpers(code).replaceAll(
    /\brequire\("(\.{1,2}\/[^"]+)"\)/g,
    (_, path) => `require(${JSON.stringify(names.get(join(dirname(output), path)))})`,
  )
  return (await transform(lateImports(named), { ...common, minifyWhitespace: true, minifySyntax: true })).code
}

/**
 * The helpers that esbuild puts before each part are the loader's.
 *
 * @param {string} code
 */
function withoutHelpers(code) {
  const end = 'var stdin_exports = {};\n'
  const from = code.includes(end) ? code.indexOf(end) + end.length : 0
  return code
    .slice(from)
    .replace('__export(stdin_exports, ', '__export(exports, ')
    .replace('module.exports = __toCommonJS(stdin_exports);\n', '')
}

/**
 * Turns `var import_x = require("x")` and each `import_x.y` of esbuild's output into `import_x.it.y`, which loads it.
 *
 * @param {string} code
 */
function lateImports(code) {
  const names = new Set()
  const declared = code
    .replaceAll(/^require\("[^"]+"\);$/gm, '')
    .replaceAll(/^var (import_\w+) = ((?:__toESM\()?require\("[^"]+"\)(?:, 1)?\)?);$/gm, (_, name, value) => {
      names.add(name)
      return `var ${name} = __late(() => ${value});`
    })
  return declared.replaceAll(/\b(import_\w+)\./g, (all, name) => (names.has(name) ? `${name}.it.` : all))
}

/**
 * The parts that the start of a run uses are functions. The others stand in a comment, which costs least to
 * read, and which a function that holds it gives out as its text.
 *
 * @param {string} start name of the part to begin with
 * @param {ReadonlyMap<string, string>} parts
 */
function programFile(start, parts) {
  const early = [...parts].filter(([part]) => atStart.has(part))
  const late = [...parts].filter(([part]) => !atStart.has(part))
  const places = []
  let texts = ''
  for (const [part, text] of late) {
    if (text.includes(commentEnd)) throw new Error(`Cannot put "${part}" into a comment: it has "${commentEnd}" in it`)
    const inComment = text.replaceAll('*/', commentEnd)
    places.push(`${JSON.stringify(part)}: [${texts.length}, ${inComment.length}]`)
    texts += inComment
  }
  return `#!/usr/bin/env node
'use strict'
const early = {
${early.map(([part, text]) => `${JSON.stringify(part)}: (function (${partArguments}) {${text}})`).join(',\n')}
}
const places = { ${places.join(', ')} }
const loaded = new Map()
const here = { get url() { return require('node:url').pathToFileURL(__filename).href } }
function late(load) {
  let module
  return { get it() { return (module ??= load()) } }
}
function exportAll(exports, all) {
  Object.defineProperty(exports, '__esModule', { value: true })
  for (const name in all) Object.defineProperty(exports, name, { get: all[name], enumerable: true })
}
function toModule(module) {
  return module.__esModule ? module : { __proto__: module, default: module }
}
function load(name) {
  const known = loaded.get(name)
  if (known !== undefined) return known.exports
  const part = early[name] ?? compile(name)
  if (part === undefined) return require(name)
  const module = { exports: {} }
  loaded.set(name, module)
  part(load, module, module.exports, late, here, exportAll, toModule)
  return module.exports
}
function compile(name) {
  if (!Object.hasOwn(places, name)) return undefined
  const [from, length] = places[name]
  const all = String(texts)
  const begin = all.indexOf('/*') + 2 + from
  const text = all.slice(begin, begin + length).replaceAll('${commentEnd}', '*' + '/')
  return require('node:vm').compileFunction(text, ${JSON.stringify(partArguments.split(', '))}, { filename: __filename + '/' + name })
}
load(${JSON.stringify(start)})
function texts() {/*${texts}*/}
`
}

/** What stands for the end of a comment inside of one. */
const commentEnd = '*@/'
const partArguments = 'require, module, exports, __late, __here, __export, __toESM'

/** The parts that a process of a run uses until it makes the run's directory: a part too many or too few costs time only. */
const atStart = new Set([
  ...['cli/main.ts', 'cli/program.ts', 'cli/flags.ts', 'cli/plain-run.ts', 'util/early-signals.ts'],
  ...['defaults.ts', 'util/duration.ts', 'options.ts', 'util/unanswered.ts', 'logger.ts', 'util/deferred.ts'],
  ...['runner/choose.ts', 'runner/choose.ts-2', 'identity/choose-runner.ts', 'identity/launchers.ts'],
  ...['identity/environment.ts', 'runner/slurm-runner.ts', 'runner/file-runner.ts', 'runner/base.ts'],
  ...['runner/hooks.ts', 'runner/timing.ts', 'process/guardian.ts', 'runner/body.ts', 'runner/interruption.ts'],
  ...['process/signals.ts', 'identity/slurm.ts', 'identity/node-list.ts', 'identity/share.ts', 'roles/roles.ts'],
  ...['identity/run-key.ts', 'runner/hosted.ts', 'components/child-environment.ts', 'runner/pythons.ts'],
  ...['runner/membership.ts', 'rendezvous/file-store.ts', 'control/ask.ts', 'rendezvous/names.ts'],
  ...['rendezvous/run-directory.ts', 'python/client.py'],
])

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

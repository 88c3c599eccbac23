// The program as one CommonJS file of parts: one for each of our modules and for what a group of them takes from a
// package. A part is evaluated when something in it is used, and so are the modules that it imports, Node's own
// included: the whole of it would cost as much as three starts of Node itself.
import { createHash } from 'node:crypto'
import { dirname, join, relative } from 'node:path'
import { transform } from 'esbuild'

/**
 * The program's text, out of what esbuild has made of its modules with `splitting`.
 *
 * @param {string} root directory to which the outputs' names are relative
 * @param {string} start name of the part to begin with, such as `cli/main.ts`
 * @param {import('esbuild').BuildResult<{ metafile: true, write: false }>} modules
 */
export async function programFile(root, start, { outputFiles, metafile }) {
  const names = partNames(metafile.outputs)
  const texts = new Map(
    await Promise.all(
      outputFiles.map(async ({ path, text }) => {
        const output = relative(root, path)
        return /** @type {const} */ ([names.get(output) ?? '', await partText(output, text, names)])
      }),
    ),
  )
  return fileOf(start, new Map(reachable(start, texts).map((part) => [part, texts.get(part) ?? ''])))
}

/**
 * What each part is called: by the module of ours that it is of, as stack traces show it where there is no code cache.
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
 * What is imported and not used, as for the order in which modules are evaluated, is left out.
 *
 * @param {string} code
 */
function lateImports(code) {
  const imports = /^var (import_\w+) = ((?:__toESM\()?require\("[^"]+"\)(?:, 1)?\)?);$/gm
  const names = new Set([...code.matchAll(imports)].map(([, name]) => name))
  const used = new Set()
  const body = code.replaceAll(/\b(import_\w+)\./g, (all, name) => {
    if (!names.has(name)) return all
    used.add(name)
    return `${name}.it.`
  })
  return body
    .replaceAll(/^require\("[^"]+"\);$/gm, '')
    .replaceAll(imports, (_, name, value) => (used.has(name) ? `var ${name} = __late(() => ${value});` : ''))
}

/**
 * The parts stand in a comment, which costs least to read, and which a function that holds it gives out as its text:
 * as three scripts, for which V8 has caches where `code-cache` has made them, or part by part as they are used.
 *
 * @param {string} start name of the part to begin with
 * @param {ReadonlyMap<string, string>} parts
 */
function fileOf(start, parts) {
  const places = []
  const scripts = []
  let texts = ''
  for (const wanted of ['start', 'run', 'apart']) {
    const begin = texts.length
    texts += "'use strict';({"
    for (const [part, text] of parts) {
      if (scriptOf(part) !== wanted) continue
      if (text.includes(commentEnd))
        throw new Error(`Cannot put "${part}" into a comment: it has "${commentEnd}" in it`)
      const inComment = text.replaceAll('*/', commentEnd)
      const name = JSON.stringify(part)
      texts += `\n${name}: function (${partArguments}) {`
      places.push(`${name}: [${scripts.length}, ${texts.length}, ${inComment.length}]`)
      texts += `${inComment}},`
    }
    texts += '})'
    scripts.push(`[${begin}, ${texts.length - begin}]`)
  }
  const version = createHash('sha256').update(texts).digest('hex').slice(0, 32)
  return `#!/usr/bin/env node
'use strict'
const places = { ${places.join(', ')} }
const loaded = new Map()
const program = {
  header() {
    // Another build of the same version of Node has another size.
    const { size } = require('node:fs').statSync(process.execPath)
    return ${JSON.stringify(version)} + String(size).padStart(16)
  },
  scripts: [${scripts.join(', ')}].map((place, i) => ({
    cacheFile: [__filename, process.version, process.arch, i, 'cache'].join('.'),
    compile(options) {
      const { Script } = require('node:vm')
      return new Script(textOf(...place), { filename: __filename, ...options })
    },
  })),
}
const here = { program, get url() { return require('node:url').pathToFileURL(__filename).href } }
const cached = []
load(${JSON.stringify(start)})

function load(name) {
  const known = loaded.get(name)
  if (known !== undefined) return known.exports
  if (!Object.hasOwn(places, name)) return require(name)
  const module = { exports: {} }
  loaded.set(name, module)
  partOf(name)(load, module, module.exports, late, here, exportAll, toModule)
  return module.exports
}
function partOf(name) {
  const [script, ...place] = places[name]
  const parts = (cached[script] ??= cachedParts(program.scripts[script]) ?? 'none')
  if (parts !== 'none') return parts[name]
  const { compileFunction } = require('node:vm')
  return compileFunction(textOf(...place), ${JSON.stringify(partArguments.split(', '))}, { filename: __filename + '/' + name })
}
function cachedParts({ cacheFile, compile }) {
  let cache
  try {
    cache = readTrusted(cacheFile)
  } catch {
    return undefined
  }
  const header = program.header()
  if (cache?.subarray(0, header.length).latin1Slice() !== header) return undefined
  const script = compile({ cachedData: cache.subarray(header.length) })
  return script.cachedDataRejected ? undefined : script.runInThisContext()
}
// Code is run only where nobody may have written it but the owner of the program or we.
function readTrusted(path) {
  const { closeSync, constants, fstatSync, openSync, readFileSync, statSync } = require('node:fs')
  // Not to wait for the other end of a named pipe.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const { mode, uid } = fstatSync(file)
    const isOurs = uid === process.getuid() || uid === statSync(__filename).uid
    return isOurs && (mode & 0o170022) === 0o100000 ? readFileSync(file) : undefined
  } finally {
    closeSync(file)
  }
}
function textOf(from, length) {
  const all = String(texts)
  const begin = all.indexOf('/*') + 2 + from
  return all.slice(begin, begin + length).replaceAll('${commentEnd}', '*' + '/')
}
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
function texts() {/*${texts}*/}
`
}

/** What stands for the end of a comment inside of one. */
const commentEnd = '*@/'
const partArguments = 'require, module, exports, __late, __here, __export, __toESM'

/**
 * Of which script a part is: what is in one is loaded together, from its cache.
 *
 * @param {string} part
 */
function scriptOf(part) {
  if (atStart.has(part)) return 'start'
  return /^(cli|commands|client|mpi|commander)\//.test(part) ? 'apart' : 'run'
}

/** The parts that a process of a run uses until it starts its Python: a part too many or too few costs time only. */
const atStart = new Set([
  ...['cli/main.ts', 'cli/program.ts', 'cli/flags.ts', 'cli/plain-run.ts', 'util/early-signals.ts'],
  ...['defaults.ts', 'util/duration.ts', 'options.ts', 'util/unanswered.ts', 'logger.ts', 'util/deferred.ts'],
  ...['runner/choose.ts', 'runner/choose.ts-2', 'identity/choose-runner.ts', 'identity/launchers.ts'],
  ...['identity/environment.ts', 'runner/slurm-runner.ts', 'runner/file-runner.ts', 'runner/base.ts'],
  ...['runner/hooks.ts', 'runner/timing.ts', 'process/reaper.ts', 'runner/body.ts', 'runner/interruption.ts'],
  ...['process/signals.ts', 'identity/slurm.ts', 'identity/node-list.ts', 'identity/share.ts', 'roles/roles.ts'],
  ...['identity/run-key.ts', 'runner/hosted.ts', 'components/child-environment.ts', 'runner/pythons.ts'],
  ...['runner/membership.ts', 'components/worker-names.ts', 'rendezvous/file-store.ts', 'control/ask.ts'],
  ...['rendezvous/names.ts', 'rendezvous/run-directory.ts', 'python/take-client-process.ts', 'python/find-python.ts'],
  ...['util/wait.ts', 'python/dask-process.ts', 'python/bootstrap.py', 'process/child.ts', 'process/supervised.ts'],
  ...['python/loader.ts', 'process/output.ts', 'util/monotonic.ts'],
])

// Loads a TypeScript file of the test support into a script: bundled, with every import of it.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = resolve(fileURLToPath(import.meta.url), '../..')

/** Files keep their own `import.meta.dirname` inside of a bundle. */
const ownDirname = {
  name: 'own-dirname',
  /** @param {import('esbuild').PluginBuild} plugin */
  setup(plugin) {
    plugin.onLoad({ filter: /\/(test|src)\/.*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      return { loader: 'ts', contents: text.replaceAll('import.meta.dirname', JSON.stringify(dirname(path))) }
    })
  },
}

/**
 * @param {string} file path of the TypeScript file from the repository's root
 * @returns {Promise<any>} its exports
 */
export async function loadTypeScript(file) {
  // Inside of the repository, so that packages are found.
  const folder = await mkdtemp(join(root, 'node_modules/.cache-'))
  try {
    const outfile = join(folder, 'bundle.mjs')
    await build({
      entryPoints: [join(root, file)],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
      packages: 'external',
      supported: { using: false },
      loader: { '.sh': 'text', '.py': 'text' },
      plugins: [ownDirname],
      logLevel: 'warning',
    })
    return await import(pathToFileURL(outfile).href)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

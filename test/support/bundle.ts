import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { programs } from './cluster.ts'

/** The forms that a user's bundler writes. */
const forms = { esm: 'mjs', cjs: 'cjs' } as const

/** Bundles a program of a user with the built library in it, as `esbuild app.ts --bundle` does. Gives the bundle's path. */
export async function bundleWithLibrary(
  directory: string,
  text: string,
  { format, minify }: { readonly format: keyof typeof forms; readonly minify: boolean },
): Promise<string> {
  const entry = join(directory, 'app.ts')
  await writeFile(entry, text)
  const outfile = join(directory, `app.${forms[format]}`)
  const library = join(programs, '../../dist/index.js')
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format,
    minify,
    alias: { 'dask-hpc-runner': library },
    logOverride: { 'empty-import-meta': 'silent' },
  })
  return outfile
}

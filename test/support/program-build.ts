import { join } from 'node:path'
import type { BuildOptions } from 'esbuild'

const library = join(import.meta.dirname, '../../dist/index.js')

/** How esbuild compiles a program of a user that imports the built library, for the oldest Node that it runs on. */
export const programBuild = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  supported: { using: false },
  alias: { 'dask-hpc-runner': library },
  external: [library],
  logLevel: 'silent',
} satisfies BuildOptions

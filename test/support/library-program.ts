import { join } from 'node:path'
import { build } from 'esbuild'
import { type Cluster, programs } from './cluster.ts'

/** Compiles a TypeScript program of fixtures/programs, which imports the built library. Gives its path. */
export async function compile(cluster: Cluster, name: string): Promise<string> {
  const outfile = join(cluster.directory, 'bin', `${name}.mjs`)
  const library = join(programs, '../../dist/index.js')
  await build({
    entryPoints: [join(programs, `${name}.ts`)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    supported: { using: false },
    alias: { 'dask-hpc-runner': library },
    external: [library],
  })
  return outfile
}

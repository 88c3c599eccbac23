import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { type Cluster, programs } from './cluster.ts'

/** Compiles a TypeScript program of fixtures/programs, which imports the built library. Gives its path. */
export async function compile(cluster: Cluster, name: string, options: CompileOptions = {}): Promise<string> {
  return await compileFile(cluster, join(programs, `${name}.ts`), options)
}

interface CompileOptions {
  /** With the library in it, for a user who cannot read that where it stands. @default false */
  readonly isWhole?: boolean
}

/** The same for one of the examples. */
export async function compileExample(cluster: Cluster, name: string): Promise<string> {
  return await compileFile(cluster, join(programs, `../../examples/${name}.ts`))
}

async function compileFile(cluster: Cluster, file: string, { isWhole = false }: CompileOptions = {}): Promise<string> {
  const outfile = join(cluster.directory, 'bin', `${basename(file, '.ts')}.mjs`)
  const library = join(programs, '../../dist/index.js')
  await build({
    entryPoints: [file],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    supported: { using: false },
    alias: { 'dask-hpc-runner': library },
    external: isWhole ? [] : [library],
  })
  return outfile
}

import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { type Cluster, programs } from './cluster.ts'
import { programBuild } from './program-build.ts'

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
  await build({ ...programBuild, entryPoints: [file], outfile, ...(isWhole && { external: [] }) })
  return outfile
}

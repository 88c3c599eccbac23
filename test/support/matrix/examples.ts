import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { programBuild } from '../program-build.ts'
import { root } from '../slurm/directory.ts'
import type { LauncherName } from './cell.ts'

/** An example of README.md. */
export interface Example {
  readonly text: string
  /** What it prints. */
  readonly prints: readonly string[]
}

/** The first example in Python of README.md. */
export async function pythonExample(): Promise<Example> {
  const [text = ''] = blocks(await readme(), 'python')
  return { text, prints: ['6'] }
}

/** The first example in TypeScript of README.md for this launcher: under MPI it is the one for Slurm, with MPIRunner. */
export async function typescriptExample(launcher: LauncherName): Promise<Example> {
  const wanted = launcher === 'local' ? 'LocalRunner' : 'SLURMRunner'
  const found = blocks(await readme(), 'ts').find((block) => block.includes(wanted)) ?? ''
  const text = launcher === 'openmpi' || launcher === 'mpich' ? found.replaceAll(wanted, 'MPIRunner') : found
  const prints = [...text.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(([, printed = '']) => printed)
  return { text, prints }
}

/** Compiles an example, which imports the built library. Gives the text of the program. */
export async function compileExample(text: string): Promise<string> {
  const stdin = { contents: text, loader: 'ts', resolveDir: root } as const
  const result = await build({ ...programBuild, stdin, write: false })
  return result.outputFiles[0]?.text ?? ''
}

async function readme(): Promise<string> {
  return await readFile(join(root, 'README.md'), 'utf8')
}

function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm'))].map(([, block = '']) => block)
}

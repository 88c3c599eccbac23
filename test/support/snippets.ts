import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'

/** A piece of TypeScript in the documentation. */
export interface Snippet {
  /** Where it stands: `README.md:409`. */
  readonly place: string
  /** The name of its file. */
  readonly file: string
  readonly text: string
  /**
   * `program`: run it at a cluster. `numpy`: the same where Python has NumPy. `job`: the program of each process of a job. `test`: a
   * file of vitest. `module`: others import it.
   */
  readonly kind: 'program' | 'numpy' | 'job' | 'test' | 'module'
  /** What it prints, by the comments behind its `console.log`. */
  readonly prints: readonly string[]
}

/** What a snippet that does not import the package stands in, as the guides say, but for its client, which all share. */
const beginning = `import { exported, NDArray, py, RunnerError, TaskError, withClient, type Future } from 'dask-hpc-runner'
import { client } from './client.js'
`

/** Where the snippets have their client from. */
export const clientFile = {
  file: 'client.ts',
  text: "import { Client } from 'dask-hpc-runner'\n\nexport const client = await Client.connect()\n",
} as const

/** Every snippet of TypeScript in README.md and docs/. The word behind `ts` names its file, or says `numpy`. */
export async function snippetsOf(root: string): Promise<readonly Snippet[]> {
  const names = await readdir(join(root, 'docs'), { recursive: true })
  // typedoc writes copies into docs/api/.
  const docs = names.filter((name) => name.endsWith('.md') && !name.startsWith('api/')).sort()
  const pages = ['README.md', ...docs.map((name) => join('docs', name))]
  return (
    await Promise.all(pages.map(async (page) => snippetsIn(page, await readFile(join(root, page), 'utf8'))))
  ).flat()
}

function snippetsIn(page: string, text: string): Snippet[] {
  const snippets = [...text.matchAll(/^```ts(?: (numpy|\S+\.ts))?\n([^]*?)^```$/gm)].map((match): Snippet => {
    const { 1: word = '', 2: code = '', index } = match
    const place = `${page}:${text.slice(0, index).split('\n').length}`
    const file = word.endsWith('.ts') ? word : `${basename(page, '.md')}-${place.split(':')[1] ?? ''}.ts`
    const whole = word.endsWith('.ts') || code.includes("from 'dask-hpc-runner'")
    const prints = [...code.matchAll(/^ *console\.log\(.*\) \/\/ (.*)$/gm)].map(([, printed = '']) => printed)
    return { place, file, text: `${whole ? '' : beginning}${code}\nexport {}\n`, kind: kindOf(word, code), prints }
  })
  // None in another form: as `typescript`, `js`, or within a list.
  const blocks = text.match(/^ *(?:```|~~~) *(?:[cm]?[jt]sx?|typescript|javascript)\b/gim) ?? []
  if (blocks.length !== snippets.length)
    throw new Error(
      `${page} has ${blocks.length} blocks of TypeScript, of which ${snippets.length} are written as snippets`,
    )
  return snippets
}

function kindOf(word: string, code: string): Snippet['kind'] {
  if (word.endsWith('.test.ts')) return 'test'
  if (word.endsWith('.ts')) return 'module'
  if (word === 'numpy') return 'numpy'
  return /(SLURM|MPI)Runner/.test(code) ? 'job' : 'program'
}

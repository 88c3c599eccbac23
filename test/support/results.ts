import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What a cell of a matrix leaves. */
export interface Result {
  readonly cell: string
  /** What was printed. */
  readonly output: string
}

/** The results of the cells of a matrix, each a file of a folder: they stay until the cell runs again. */
export class Results<R extends Result> {
  readonly #folder: string
  readonly #all = new Map<string, R>()

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Those of the cells of these names that are in a folder, which is made. */
  static async in<R extends Result>(folder: string, names: readonly string[]): Promise<Results<R>> {
    const results = new Results<R>(folder)
    await mkdir(folder, { recursive: true })
    for (const name of names) {
      const text = await readFile(join(folder, `${name}.json`), 'utf8').catch(() => undefined)
      if (text !== undefined) results.#all.set(name, JSON.parse(text) as R)
    }
    return results
  }

  get(cell: string): R | undefined {
    return this.#all.get(cell)
  }

  async set(result: R): Promise<void> {
    this.#all.set(result.cell, result)
    await writeFile(join(this.#folder, `${result.cell}.json`), JSON.stringify(result, undefined, 2))
    await writeFile(join(this.#folder, `${result.cell}.log`), result.output)
  }
}

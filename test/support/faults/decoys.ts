import { createHash } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { FaultRun } from './fault-run.ts'

const key = 'other-7.0-r0'

/** Files of runs that have nothing to do with this one, beside its own and named like them. */
const beside = [
  'other.json',
  `.other.json.run-${key}/coordinator.json`,
  `.other.json.run-${key}/exited-0.json`,
  '.other.json.lock/held',
  'scheduler-other.0.json',
  '.F.json2.other.lock',
  `F.json.other`,
]
const temporary = [`dask-hpc-runner-${key}-2-0badcafe/data`]

/** The decoys as they stand in a directory. */
export const decoyNames = [...beside, ...temporary].map((path) => path.split('/')[0] ?? path)

/** Decoys of one run, and what they looked like when they were made. */
export class Decoys {
  /** By path; `host` is undefined for what all hosts share. */
  readonly #placed: ReadonlyMap<string, { readonly host: string | undefined; readonly look: string }>

  private constructor(placed: ReadonlyMap<string, { readonly host: string | undefined; readonly look: string }>) {
    this.#placed = placed
  }

  static async place(run: FaultRun): Promise<Decoys> {
    const paths: (readonly [string, string | undefined])[] = [
      ...beside.map((name) => [run.path(name), undefined] as const),
      ...run.hosts.flatMap((host) => temporary.map((name) => [join(run.temporary(host), name), host] as const)),
    ]
    const placed = new Map<string, { host: string | undefined; look: string }>()
    for (const [path, host] of paths) {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, `{"of": "another run", "nonce": "${path.length}"}\n`, { mode: 0o600 })
      placed.set(path, { host, look: await look(path) })
    }
    return new Decoys(placed)
  }

  /** Those that are gone or changed; those of a host that has lost its files do not count. */
  async touched(lost: string | undefined): Promise<string[]> {
    const looked = [...this.#placed].map(async ([path, was]) =>
      (lost !== undefined && was.host === lost) || (await look(path)) === was.look ? [] : [path],
    )
    return (await Promise.all(looked)).flat()
  }
}

async function look(path: string): Promise<string> {
  try {
    const { mode, mtimeMs, ino } = await stat(path)
    return `${mode} ${mtimeMs} ${ino} ${createHash('sha256')
      .update(await readFile(path))
      .digest('hex')}`
  } catch {
    return 'gone'
  }
}

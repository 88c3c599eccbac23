import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Cluster, type Started } from './cluster.ts'
import { makeShared, shellAs, stranger, user } from './second-user.ts'
import { fourTasks } from './step.ts'

/** The run's directory of the step of {@link fourTasks}, beside a scheduler file F.json. */
export const runDirectory = '.F.json.run-sim-7.0-r0'
/** A cluster of an ordinary user whose scheduler file is in a directory where a stranger may write, too. */
export class SharedPlace implements AsyncDisposable {
  readonly cluster: Cluster
  readonly shared: string

  private constructor(cluster: Cluster, shared: string) {
    this.cluster = cluster
    this.shared = shared
  }

  static async make(kind: 'sticky' | 'group'): Promise<SharedPlace> {
    const cluster = await Cluster.make({ user })
    return new SharedPlace(cluster, await makeShared(cluster.directory, 'shared', kind))
  }

  /** What `script` does as the stranger, in the shared directory; the user's home is $1. */
  async attack(script: string): Promise<void> {
    await shellAs(stranger, `cd "$2"; ${script}`, this.home, this.shared)
  }

  /** A directory of the user's own with files that a run's have the names of, beside the home where only he may look. */
  async precious(path = join(this.home, 'thesis')): Promise<Precious> {
    const files = ['outcome.json', 'coordinator.json', 'exited-1.json', 'exited-0.json', 'start.json', 'notes']
    await shellAs(
      user,
      `umask 077; mkdir "$1"; for f in ${files.join(' ')}; do echo "precious $f" >"$1/$f"; done`,
      path,
    )
    return await Precious.of(path)
  }

  /** Starts process `rank` of the step. */
  run(rank: number, ...flags: readonly string[]): Started {
    const scheduler = ['--scheduler-file', join(this.shared, 'F.json')]
    return this.cluster.run(['run', ...scheduler, ...flags, '--', 'true'], fourTasks()[rank])
  }

  /** Starts a run of `size` processes. */
  local(size: number, ...flags: readonly string[]): Started {
    const scheduler = ['--scheduler-file', join(this.shared, 'F.json')]
    return this.cluster.run(['local', '-n', String(size), ...scheduler, ...flags, '--', 'true'])
  }

  get home(): string {
    return join(this.cluster.directory, 'home')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]()
  }
}

/** A directory whose files are to stay what they are. */
export class Precious {
  readonly path: string
  readonly #before: unknown

  private constructor(path: string, before: unknown) {
    this.path = path
    this.#before = before
  }

  static async of(path: string): Promise<Precious> {
    return new Precious(path, await snapshot(path))
  }

  async expectUntouched(path = this.path): Promise<void> {
    expect(await snapshot(path)).toEqual(this.#before)
  }
}

/** Names, inodes, modes and contents. */
async function snapshot(path: string): Promise<unknown> {
  const names = (await readdir(path)).toSorted()
  return await Promise.all(
    names.map(async (name) => {
      const { ino, mode, uid } = await stat(join(path, name))
      const content = createHash('sha256').update(await readFile(join(path, name)))
      return [name, ino, mode, uid, content.digest('hex')]
    }),
  )
}

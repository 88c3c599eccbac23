import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from './until.ts'

const root = '/sys/fs/cgroup/memory'

/** Whether a test can limit the memory of processes here: as root, with control groups of version 1. */
export const canLimitMemory = process.getuid?.() === 0 && existsSync(join(root, 'memory.limit_in_bytes'))

/** A control group that the kernel keeps to so many bytes, and kills processes of where they take more. */
export class MemoryGroup implements AsyncDisposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async make(bytes: number): Promise<MemoryGroup> {
    const group = new MemoryGroup(join(root, `dask-hpc-runner-test-${randomBytes(4).toString('hex')}`))
    await mkdir(group.path)
    await writeFile(join(group.path, 'memory.limit_in_bytes'), String(bytes))
    return group
  }

  /** What to put before a command that is to run in it; `hidden`, so that the command cannot see the limit. */
  enter(hidden: boolean, before = ''): [string, ...string[]] {
    const hide = hidden ? 'mount -t tmpfs none /sys/fs/cgroup; ' : ''
    return ['unshare', '--mount', 'sh', '-c', `echo $$ > ${this.path}/cgroup.procs; ${hide}${before} exec "$@"`, 'sh']
  }

  /** How many processes the kernel has killed in it. */
  async kills(): Promise<number> {
    const text = await readFile(join(this.path, 'memory.oom_control'), 'utf8')
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? NaN)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await until(
      async () => (await readFile(join(this.path, 'cgroup.procs'), 'utf8')).trim(),
      (left) => left === '',
      { what: 'no process is left in the control group', say: (left) => left },
    )
    await rmdir(this.path)
  }
}

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { canMount, isMounted } from './mount.ts'
import { until } from './until.ts'

const run = promisify(execFile)

/** Whether {@link HangingMount} can be had; in CI it has to be. */
export const canHang = process.env.CI === 'true' || (canMount && hasBindfs())

function hasBindfs(): boolean {
  return spawnSync('bindfs', ['--version'], { stdio: 'ignore' }).status === 0
}

/** A filesystem that can be made to hang, mounted on a directory of a test until the end of its scope. */
export class HangingMount implements AsyncDisposable {
  readonly #directory: string
  readonly #daemon: ChildProcess

  private constructor(directory: string, daemon: ChildProcess) {
    this.#directory = directory
    this.#daemon = daemon
  }

  /** Mounts `source`, which is made, on `directory`, which is made too. */
  static async of(source: string, directory: string): Promise<HangingMount> {
    for (const each of [source, directory]) await mkdir(each)
    // No name is remembered, so that each operation has to ask.
    const options = 'attr_timeout=0,entry_timeout=0,negative_timeout=0'
    const daemon = spawn('bindfs', ['-f', '-o', options, source, directory], { stdio: 'ignore' })
    await until(
      () => isMounted(directory),
      (mounted) => mounted,
      { what: `"${directory}" is mounted`, say: () => 'it is not' },
    )
    // The kernel holds back every call, uninterrupted, until the daemon has introduced itself.
    await readdir(directory)
    return new HangingMount(directory, daemon)
  }

  /** From now on nothing on it is answered. */
  hang(): void {
    this.#daemon.kill('SIGSTOP')
  }

  /** What hangs goes on. */
  goOn(): void {
    this.#daemon.kill('SIGCONT')
  }

  /** Shows one of its files at `path`, where a file is: its directory goes on to answer. */
  async show(name: string, path: string): Promise<AsyncDisposable> {
    await run('mount', ['--bind', join(this.#directory, name), path])
    return {
      [Symbol.asyncDispose]: async () => {
        this.goOn()
        await run('umount', ['--lazy', path])
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.goOn()
    await run('umount', ['--lazy', this.#directory])
    this.#daemon.kill('SIGKILL')
  }
}

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, type TestContext } from 'vitest'

/** A directory that is removed when the test ends. */
export function temporaryDirectory(parent = tmpdir()): string {
  const path = mkdtempSync(join(parent, 'rendezvous-'))
  onTestFinished(() => {
    rmSync(path, { recursive: true, force: true })
  })
  return path
}

/** Where a file costs no disk access, if there is such a place. */
export function inMemory(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
}

/**
 * A small filesystem of its own, unmounted when the test ends. Where nothing can be mounted the test
 * is skipped with the reason; under CI it fails.
 */
export async function mounted(context: TestContext, options: string): Promise<string> {
  const path = join(temporaryDirectory(), 'mount')
  await mkdir(path)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'pipe' })
  } catch (error) {
    if (process.env.CI === 'true') throw error
    context.skip('nothing can be mounted here: not root, or no right to')
  }
  onTestFinished(() => {
    execFileSync('umount', [path])
  })
  return path
}

/** Makes a mounted filesystem read-only. */
export function makeReadOnly(path: string): void {
  execFileSync('mount', ['-o', 'remount,ro', path])
}

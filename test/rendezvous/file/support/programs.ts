import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from './directory.ts'

/** Bundles a program of fixtures/, so that a plain `node` runs it. */
export async function buildProgram(name: 'publisher' | 'reader' | 'contender' | 'looker' | 'waiter'): Promise<string> {
  const outfile = join(temporaryDirectory(), `${name}.mjs`)
  const entry = join(import.meta.dirname, '..', 'fixtures', `${name}.ts`)
  // The CommonJS modules among the dependencies want a `require`.
  const js = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)"
  const how = { bundle: true, platform: 'node', format: 'esm', target: 'node20', banner: { js } } as const
  await build({ entryPoints: [entry], outfile, ...how })
  return outfile
}

/** A running program of fixtures/. */
export interface Program {
  readonly child: ChildProcess
  /** The next line that it prints. Rejects where it ends before. */
  nextLine(): Promise<string>
  /** Closes its standard input, which asks it to end, and waits for that. */
  finish(): Promise<void>
  kill(): Promise<void>
}

/** Starts a bundled program; it is killed at the latest when the test ends. */
export function start(program: string, ...args: string[]): Program {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  onTestFinished(kill)
  return {
    child,
    kill,
    nextLine: async () => {
      const next = await lines.next()
      if (next.done === true) throw new Error(`${program} ended without another line`)
      return next.value
    },
    finish: async () => {
      child.stdin.end()
      await ended
    },
  }
}

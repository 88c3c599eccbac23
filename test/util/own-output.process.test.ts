import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, it } from 'vitest'
import { temporaryDirectory } from '../process/support/processes.ts'

/** Builds the program that writes as ours does. */
async function buildProgram(directory: string): Promise<string> {
  const outfile = join(directory, 'own-output.mjs')
  const entryPoints = [join(import.meta.dirname, 'fixtures/own-output.ts')]
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm' })
  return outfile
}

const [isLinux, nonblocking] = [process.platform === 'linux', 0o4000]

it.skipIf(!isLinux).each([
  // What Node gives a child for 'pipe' is a socket.
  ['a socket', [process.execPath]],
  ['a pipe', ['/bin/sh', '-c', '"$@" 2>&1 | cat', 'sh', process.execPath]],
])('a program that has %s in common with ours finds it as it was', async (_, [file = '', ...args]) => {
  const program = await buildProgram(temporaryDirectory())
  const { stdout, status } = spawnSync(file, [...args, program, 'flags'], { encoding: 'utf8' })
  expect(status).toBe(0)
  const flags = [...stdout.matchAll(/^flags:\s*(\d+)$/gm)].map(([, octal = '']) => parseInt(octal, 8) & nonblocking)
  expect(flags, stdout).toEqual([0, 0])
})

it.skipIf(!isLinux)('a pipe that nobody reads holds nothing, and nothing is lost', async () => {
  const directory = temporaryDirectory()
  const [program, goesOn] = [await buildProgram(directory), join(directory, 'goes-on')]
  const piped = '"$1" "$2" "$3" | { until [ -e "$3" ]; do sleep 0.1; done; wc -c; }'
  const args = ['-c', piped, 'sh', process.execPath, program, goesOn]
  const { stdout } = spawnSync('/bin/sh', args, { encoding: 'utf8', timeout: 60_000 })
  expect(stdout.trim()).toBe('1000000')
})

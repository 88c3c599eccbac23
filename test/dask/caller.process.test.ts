import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, onTestFinished, test } from 'vitest'
import { startFakeScheduler, startPeer } from './support/peer.ts'

test('a program whose calls have failed ends by itself, without an unhandled rejection', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'dask-hpc-runner-test-'))
  onTestFinished(async () => rm(directory, { recursive: true }))
  const outfile = join(directory, 'dask-caller.mjs')
  const entry = join(import.meta.dirname, 'fixtures/dask-caller.ts')
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' })

  const silent = await startPeer(() => undefined)
  const closing = await startPeer((socket) => socket.end())
  const scheduler = await startFakeScheduler(({ op }) => (op === 'identity' ? undefined : { 'tcp://10.0.0.1:1': 1 }))
  const addresses = [scheduler, silent, closing].map(({ place }) => `tcp://${place}`)
  const child = spawn(process.execPath, [outfile, ...addresses], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  let lastAt = 0
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      lastAt = performance.now()
    })
  const [status] = (await once(child, 'close')) as [number | null]
  expect(output).toBe('silent\nnot-dask\nsilent\nsilent\nclosed\n')
  expect(status).toBe(0)
  // No timer that is left over holds it: that of a call has 10 s.
  expect(performance.now() - lastAt).toBeLessThan(8000)
})

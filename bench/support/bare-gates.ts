import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'esbuild'
import type { WatchMode } from '../../src/options.ts'
import { publishFile } from '../../src/rendezvous/file/publish.ts'

/** Milliseconds from publication to the opening of the last of `size` gates of one host, on a tmpfs. */
export async function bareGates(size: number, watch: WatchMode): Promise<number> {
  const directory = await mkdtemp('/dev/shm/gates-')
  const children = []
  try {
    const entry = join(import.meta.dirname, 'gate-program.ts')
    const program = join(directory, 'gate.cjs')
    await build({ entryPoints: [entry], bundle: true, outfile: program, platform: 'node', target: 'node20' })
    for (let rank = 1; rank <= size; rank++) {
      const args = [program, join(directory, 'F.json'), String(rank), String(size + 1), watch]
      children.push(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] }))
    }
    const opened = children.map(whenOpened)
    const run = join(directory, '.F.json.run-bench')
    while ((await readdir(run).catch(() => [])).length < size) await sleep(50)
    await sleep(2_000)
    const identity = { run_key: 'bench', nonce: 'n', secret: 's', host: 'node0', pid: process.pid }
    const control = { addresses: ['127.0.0.1'], port: 1, network: 'n' }
    await publishFile(join(run, 'coordinator.json'), JSON.stringify({ version: 1, ...identity, control, n_workers: 1 }))
    const published = Date.now()
    return Math.max(...(await Promise.all(opened))) - published
  } finally {
    for (const child of children) {
      if (child.exitCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await rm(directory, { recursive: true, force: true })
  }
}

/** The moment that a gate program says; it stays. */
async function whenOpened(child: ChildProcess): Promise<number> {
  const [said] = (await Promise.race([once(child.stdout as Readable, 'data'), once(child, 'exit')])) as [unknown]
  if (!Buffer.isBuffer(said)) throw new Error('a process has ended at its gate')
  return Number(said.toString())
}

import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { networkName } from '../../src/util/network.ts'
import { ControlServer, type MemberChannel } from '../../src/control/server.ts'
import type { WatchMode } from '../../src/options.ts'
import { publishFile } from '../../src/rendezvous/file/publish.ts'
import { slurmEnvironment } from '../../test/support/environment.ts'
import { memoryOf } from './memory.ts'

const program = join(import.meta.dirname, '../../dist/cli.cjs')
const base = '.F.json.run-'

/** Many that wait keep the machine from being idle by themselves. In seconds. */
const longestSettling = 60

/** Waits until there is little to be done but to wait: the InterpreterPool of those that wait have to be found. */
async function machineIsIdle(): Promise<void> {
  for (let idle = 0, seconds = 0; idle < 0.9 && seconds < longestSettling; seconds++) {
    const before = await cpuTimes()
    await sleep(1_000)
    const after = await cpuTimes()
    idle = (after.idle - before.idle) / (after.all - before.all)
  }
}

async function cpuTimes(): Promise<{ idle: number; all: number }> {
  const times =
    (await readFile('/proc/stat', 'latin1')).split('\n')[0]?.trim().split(/\s+/).slice(1, 9).map(Number) ?? []
  return { idle: (times[3] ?? 0) + (times[4] ?? 0), all: times.reduce((sum, time) => sum + time, 0) }
}

/** Real processes of a run on one host that wait at their gates, without a rank 0. */
export class Waiters implements AsyncDisposable {
  readonly #directory: string
  readonly #children: readonly ChildProcess[]
  #server: ControlServer | undefined

  private constructor(directory: string, children: readonly ChildProcess[]) {
    this.#directory = directory
    this.#children = children
  }

  /** Starts `count` of them on a tmpfs; resolves when all of them wait. */
  static async start(count: number, watch: WatchMode): Promise<Waiters> {
    const directory = await mkdtemp('/dev/shm/waiters-')
    const size = String(count + 1)
    const children = Array.from({ length: count }, (_, i) => {
      const rank = String(i + 1)
      const env = slurmEnvironment('step-4nodes-1task-each-proc0', {
        ...{ SLURM_PROCID: rank, SLURM_LOCALID: rank, SLURM_NODEID: '0', SLURMD_NODENAME: 'node0' },
        ...{ SLURM_NTASKS: size, SLURM_NPROCS: size, SLURM_STEP_NUM_TASKS: size, SLURM_NNODES: '1' },
        ...{ SLURM_STEP_NUM_NODES: '1', SLURM_STEP_NODELIST: 'node0', SLURM_JOB_NUM_NODES: '1' },
        ...{ SLURM_NODELIST: 'node0', SLURM_JOB_NODELIST: 'node0' },
      })
      const args = [program, 'run', '--watch', watch, '--scheduler-file', join(directory, 'F.json'), '--no-client']
      return spawn(process.execPath, args, {
        env: { ...env, PATH: process.env.PATH },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
    })
    const waiters = new Waiters(directory, children)
    await Promise.all(children.map(saysThatItWaits))
    await machineIsIdle()
    return waiters
  }

  /** CPU seconds that each of them has used so far. */
  async cpu(): Promise<number[]> {
    return await Promise.all(
      this.#children.map(async ({ pid }) => {
        const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
        const [user = NaN, system = NaN] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number)
        return (user + system) / 100
      }),
    )
  }

  /** Memory of each, its share of what it shares, in bytes. */
  async memory(): Promise<number[]> {
    return await Promise.all(this.#children.map(async ({ pid = 0 }) => await memoryOf([pid])))
  }

  /** Publishes where rank 0 is. Milliseconds until the last of them has opened its gate and joined. */
  async publish(): Promise<number> {
    const directory = await this.#runDirectory()
    const identity = { run_key: directory.slice(base.length), nonce: randomUUID(), secret: randomUUID() }
    const peers: MemberChannel[] = []
    let last = 0
    const all = new Promise<void>((resolve) => {
      const onMember = (peer: MemberChannel): void => {
        last = performance.now()
        peer.send({ type: 'welcome' })
        if (peers.push(peer) === this.#children.length) resolve()
      }
      void ControlServer.listen({ runKey: identity.run_key, ...identity, host: '127.0.0.1', onMember }).then(
        async (server) => {
          this.#server = server
          const control = { addresses: ['127.0.0.1'], port: server.port, network: await networkName() }
          const record = { version: 1, ...identity, host: 'node0', pid: process.pid, control, n_workers: 1 }
          await publishFile(join(this.#directory, directory, 'coordinator.json'), JSON.stringify(record))
          began = performance.now()
        },
      )
    })
    let began = 0
    await all
    return last - began
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.#children.map(async (child) => {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    })
    for (const child of this.#children) child.kill('SIGKILL')
    await Promise.all(ended)
    await this.#server?.close()
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #runDirectory(): Promise<string> {
    return (await readdir(this.#directory)).find((name) => name.startsWith(base)) ?? ''
  }
}

async function saysThatItWaits({ stderr }: ChildProcess): Promise<void> {
  let said = ''
  await new Promise<void>((resolve) => {
    stderr?.on('data', (chunk: Buffer) => {
      said += String(chunk)
      if (said.includes('waiting for rank 0')) resolve()
    })
  })
}

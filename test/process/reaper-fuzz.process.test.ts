import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { expect, onTestFinished, test } from 'vitest'
import {
  encodePath,
  expectedOrder,
  fileOrder,
  groupOrder,
  lockOrder,
  endMarkerOrder,
} from '../../src/process/reaper-orders.ts'
import { Random } from '../dask/support/random.ts'
import { canBeOthers, user } from '../support/second-user.ts'
import { mutateOrder } from './support/mutate-orders.ts'
import { eventually, processesWith } from './support/processes.ts'
import { orderToRemove, ReaperScript, seenDirectory } from './support/reaper-script.ts'

// `npm run fuzz:reaper` tries 100,000; DASK_HPC_RUNNER_FUZZ_SEED repeats a run.
const total = Number(process.env.DASK_HPC_RUNNER_FUZZ ?? 1_000)
const seed = Number(process.env.DASK_HPC_RUNNER_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32))
const ordersOfStream = 100
const nonce = '4b1f3c9e-8d02-4a6f-9c51-0f6f2f7f4d1a'

/** Where the reaper has something to do, and beside it what it is not to touch. */
class Sandbox {
  readonly root = mkdtempSync(join(tmpdir(), 'reaper-fuzz-'))
  readonly kills = join(this.root, 'kills')
  readonly #own = join(this.root, 'own')

  constructor() {
    onTestFinished(() => {
      rmSync(this.root, { recursive: true, force: true })
    })
    writeFileSync(this.kills, '')
    for (const path of this.victims) {
      mkdirSync(path, { recursive: true, mode: 0o700 })
      for (const name of ['data', '.data', 'exited-1.json']) writeFileSync(join(path, name), 'the work of a month')
      mkdirSync(join(path, 'empty'))
    }
    symlinkSync('victims', join(this.root, 'link'))
    this.#give()
  }

  get victims(): readonly string[] {
    const names = ['results', 'dask-hpc-runner-victim', '.victim.json.run-slurm-12.0-r0', '.victim.lock']
    return names.map((name) => join(this.root, 'victims', name))
  }

  /** Makes what a run has made, and gives the orders of its supervisor. */
  makeRun(): readonly string[] {
    const path = (name: string): string => join(this.#own, name)
    rmSync(this.#own, { recursive: true, force: true })
    mkdirSync(this.#own)
    const file = path('scheduler 7.json')
    const run = path('.scheduler 7.json.run-sim-7.0-r0')
    const [worker, tls] = ['dask-hpc-runner-sim-7.0-r0-2-1a2b3c4d', 'dask-hpc-runner-Übung'].map(path) as [
      string,
      string,
    ]
    for (const each of [run, worker, tls]) {
      mkdirSync(each, { mode: 0o700 })
      writeFileSync(join(each, 'coordinator.json'), '{}')
    }
    mkdirSync(join(worker, 'dask-worker-space/worker-1'), { recursive: true })
    writeFileSync(file, JSON.stringify({ nonce }))
    const lock = path('.scheduler 7.json.lock')
    mkdirSync(lock)
    this.#give()
    return [
      ...[groupOrder('+', 4_000_001), groupOrder('~', 4_000_002), groupOrder('-', 4_000_001)],
      ...[run, worker, tls].map((each) => orderToRemove(each)),
      ...[run, worker].map(expectedOrder),
      ...[endMarkerOrder({ directory: seenDirectory(run), name: 'exited-0.json' }), lockOrder(lock)],
      ...[fileOrder(file, nonce), endMarkerOrder(undefined), lockOrder(undefined)],
    ]
  }

  /** All that is beside the run. */
  get beside(): string {
    const all = ['-mindepth', '1', '-path', this.#own, '-prune', '-o', '!', '-name', 'kills']
    return execFileSync('find', [this.root, ...all, '-printf', '%P %y %m %u %s %i %T@ %l\n']).toString()
  }

  get leftOfRun(): string {
    return execFileSync('find', [this.#own, '-mindepth', '1']).toString()
  }

  #give(): void {
    if (!canBeOthers) return
    // Not as root: what is not to happen then happens to the sandbox alone.
    execFileSync('chown', ['-hR', `${user.uid}:${user.gid}`, this.root])
    chmodSync(this.root, 0o700)
    chownSync(this.root, user.uid, user.gid)
  }
}

/** Processes that are no part of the test are not to be killed: it is written down instead. */
function withoutKills(path: string): string {
  return `kill() {
  case "$1 $2" in
    '-0 -'*) return 1 ;;
    '-KILL '[0-9]* | -ALRM* | -CONT* | -0*) command kill "$@" ;;
    *) printf '%s\\n' "$*" >>'${path}' ;;
  esac
}`
}

test(
  `${total} orders that differ a little from those of a run touch nothing beside it (seed ${seed})`,
  { timeout: 600_000 + 20 * total },
  async () => {
    const random = new Random(seed)
    const sandbox = new Sandbox()
    const before = sandbox.beside
    const asUser = canBeOthers ? { as: user } : {}
    const obey = async (stream: readonly Buffer[]): Promise<void> => {
      const reaper = new ReaperScript({ ...asUser, prelude: withoutKills(sandbox.kills) })
      for (const order of stream) reaper.child.stdin?.write(Buffer.concat([order, Buffer.from('\n')]))
      await reaper.supervisorEnds()
      await eventually(() => processesWith(reaper.mark, 'environ'), [], 'nothing of it runs any more')
    }
    await obey(sandbox.makeRun().map((order) => Buffer.from(order)))
    // Without this the rest would show nothing. The lock was taken back.
    expect(sandbox.leftOfRun.trim().split('\n')).toEqual([expect.stringMatching(/\.lock$/)])

    const words = sandbox.victims.flatMap((path) => [
      path,
      `${path}/data`,
      `${path}/exited-1.json`,
      `${path}/exited-0.json`,
    ])
    const encoded = [...words, join(sandbox.root, 'link/results'), sandbox.root, '/', '/tmp'].map(encodePath)
    for (let done = 0; done < total; done += ordersOfStream) {
      const orders = sandbox.makeRun()
      const stream = Array.from({ length: ordersOfStream }, () =>
        mutateOrder(random.of(orders), random, { other: random.of(orders), words: encoded }),
      )
      await obey(stream)
      expect(sandbox.beside, `beside the run, after orders ${done} and following`).toBe(before)
    }
    // A process group, by its number: neither all processes nor those of the test.
    const kills = readFileSync(sandbox.kills, 'utf8').split('\n').filter(Boolean)
    for (const line of kills) expect(line).toMatch(/^-KILL -([2-9]|[1-9][0-9]{1,9})$/)
    expect(kills.length).toBeGreaterThan(total / 1_000)
  },
)

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { py } from '../../src/client/callable.ts'
import { Client } from '../../src/client/client.ts'
import { Reaper } from '../../src/process/reaper.ts'
import { ClientProcess } from '../../src/python/client-process.ts'
import { takeClientProcess } from '../../src/python/take-client-process.ts'
import { ClientCluster, sharedClient } from '../support/client.ts'
import { programs, python } from '../support/cluster.ts'
import { parentOf } from '../support/processes.ts'
import { patient, until } from '../support/until.ts'

/** How soon whoever waits is told. In milliseconds. */
const soon = 10_000
const sleeping = py`lambda: __import__("time").sleep(600)`
const processId = py<number>`lambda: __import__("os").getpid()`

/** A rejection that nobody handles is a failure of its own. */
function watchRejections(): unknown[] {
  const seen: unknown[] = []
  const listener = (reason: unknown): void => void seen.push(reason)
  process.on('unhandledRejection', listener)
  onTestFinished(() => void process.off('unhandledRejection', listener))
  return seen
}

test('a killed worker: its tasks run elsewhere; one that kills each of its workers says which', async () => {
  await using shared = await ClientCluster.start(2, '--nanny')
  const { client } = shared
  const victim = await client.submit(processId, [], { workers: [1] }).result()
  const moved = client.submit(
    py<string>`
      def move(victim):
          import os, time
          if os.getpid() == victim:
              time.sleep(600)
          return "elsewhere"
    `,
    [victim],
    { workers: [1, 2] },
  )
  process.kill(victim, 'SIGKILL')
  expect(await moved.result({ timeout: patient })).toBe('elsewhere')
  const suicide = client.submit(py`lambda: __import__("os").kill(__import__("os").getpid(), 9)`)
  const error = await suicide.exception({ timeout: patient })
  expect(error).toMatchObject({ kind: 'worker', code: 'ERR_COMPONENT_LOST' })
  expect(error?.message).toMatch(/^Cannot compute ".*": its worker tcp:\/\/\S+ died: /)
  await shared.end()
})

test('a task for workers of which one has just gone runs on the other, and the client goes on', async () => {
  await using shared = await ClientCluster.start(2, '--worker-restarts', '0')
  const { client } = shared
  process.kill(await client.submit(processId, [], { workers: [1] }).result(), 'SIGKILL')
  await until(
    async () => Object.keys((await client.schedulerInfo()).workers),
    (workers) => workers.length === 1,
    { what: 'the scheduler has noticed', say: (workers) => workers.join(' ') },
  )
  const left = client.submit(py<number>`lambda: 5`, [], { workers: [1, 2] })
  expect(await left.result({ timeout: patient })).toBe(5)
  await shared.end()
})

describe('on a cluster that loses one part after the other', () => {
  const shared = sharedClient(2)

  test('a busy Node process ends with its killed worker, and an idle one', async () => {
    const { client, cluster } = shared()
    const worker = await client.submit(processId, [], { workers: [1] }).result()
    const spinning = client.submit(
      () => {
        for (;;);
      },
      [],
      { workers: [1] },
    )
    await client.submit(() => 1, [], { workers: [2] }).result()
    await cluster.expectProcess('process.argv[2]')
    spinning.release()
    process.kill(worker, 'SIGKILL')
    await until(
      () => cluster.processes().filter((pid) => parentOf(pid) === worker),
      (left) => left.length === 0,
      { what: 'the Node process is gone', say: String, patience: soon },
    )
    // For the tests that follow.
    const again = client.submit(processId, [], { workers: [1] })
    expect(await again.result({ timeout: patient })).not.toBe(worker)
  })

  test('a client that is never closed keeps nobody alive, and leaves nothing', async () => {
    const { cluster, client } = shared()
    // One worker is busy for good with the first call.
    const program = `
      import { Client } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)}
      const client = await Client.connect(${JSON.stringify(client.schedulerAddress)})
      const never = client.submit(() => new Promise(() => undefined))
      console.log(await client.submit((x) => x + 1, [1]).result())
      // Waits that are over keep nobody alive either.
      const late = (error) => console.log(error.code)
      await never.result({ timeout: 20 }).catch(late)
      await never.exception({ timeout: 20 }).catch(late)
      await client.gather([never], { timeout: 20 }).catch(late)
      await client.gatherSettled([never], { timeout: 20 }).catch(late)
      for (const withResults of [true, false])
        for await (const _ of client.asCompleted([client.submit((x) => x, [1]), never], { withResults })) break
      for await (const _ of client.progress([never])) break
    `
    const started = cluster.start([process.execPath, '--input-type=module', '-e', program])
    await started.expectStatus(0)
    expect(started.stdout).toBe(`2\n${'ERR_TIMED_OUT\n'.repeat(4)}`)
  })

  test('a killed helper process fails whatever waits, and what is asked later', async () => {
    const { client } = shared()
    const rejections = watchRejections()
    const future = client.submit(sleeping)
    // Nobody awaits this one.
    void client
      .submit(sleeping)
      .result()
      .catch(() => undefined)
    client.submit(sleeping)
    const result = future.result({ timeout: soon })
    const result2 = client.waitForWorkers(99)
    process.kill(await shared().helper(), 'SIGKILL')
    const lost = { code: 'ERR_COMPONENT_LOST', message: expect.stringContaining('was killed by SIGKILL') as string }
    await expect(result).rejects.toMatchObject(lost)
    await expect(result2).rejects.toMatchObject(lost)
    expect(future.status).toBe('lost')
    await expect(client.schedulerInfo()).rejects.toMatchObject(lost)
    expect(() => client.submit(sleeping)).toThrow('Cannot submit: Lost the client')
    expect(rejections).toEqual([])
  })

  test('a killed scheduler fails whatever waits', async () => {
    const { cluster } = shared()
    await using client = await shared().connect()
    const rejections = watchRejections()
    const future = client.submit(sleeping)
    const result = future.result({ timeout: soon })
    const gathered = client.gather([client.submit(sleeping), future])
    process.kill(await cluster.expectProcess('dask-hpc-runner scheduler'), 'SIGKILL')
    const lost = {
      code: 'ERR_COMPONENT_LOST',
      message: expect.stringContaining('Lost the scheduler at tcp://') as string,
    }
    await expect(result).rejects.toMatchObject(lost)
    await expect(gathered).rejects.toMatchObject(lost)
    expect(() => client.submit(sleeping)).toThrow('Lost the scheduler')
    expect(rejections).toEqual([])
  })
})

describe('on one cluster', () => {
  const shared = sharedClient(1)

  test('a helper process that stays stopped is killed', async () => {
    const { cluster, client } = shared()
    const reaper = new Reaper()
    const helper = new ClientProcess({
      python,
      env: cluster.env,
      reaper,
      lostAfter: 500,
      onLines: () => undefined,
    })
    const target = {
      schedulerAddress: client.schedulerAddress,
      [takeClientProcess]: async () => await Promise.resolve(helper),
    }
    await using watched = await Client.connect(target, { env: cluster.env })
    const result = watched.waitForWorkers(99, { timeout: soon })
    process.kill(helper.pid ?? 0, 'SIGSTOP')
    await expect(result).rejects.toMatchObject({
      code: 'ERR_COMPONENT_LOST',
      message: expect.stringContaining('was killed by SIGKILL (it stayed stopped for 500 ms)') as string,
    })
    await watched.close()
    await reaper.close()
  })

  test("a worker's killed Node process fails its call; the next call gets a new one", async () => {
    const { client, cluster } = shared()
    const own = (): number => process.pid
    const first = await client.submit(own).result()
    expect(await client.submit(own).result()).toBe(first)
    const started = cluster.path('started')
    cluster.expectFile('started')
    const waiting = client.submit(
      async (file: string) => {
        const { writeFile } = await import('node:fs/promises')
        await writeFile(file, '')
        await new Promise((resolve) => setTimeout(resolve, 600_000))
      },
      [started],
    )
    const result = waiting.result({ timeout: soon })
    await until(
      async () => await readdir(cluster.work),
      (names) => names.includes('started'),
      { what: 'the call is under way', say: (names) => names.join(' ') },
    )
    process.kill(first, 'SIGKILL')
    await expect(result).rejects.toMatchObject({
      kind: 'node',
      message: expect.stringMatching(
        /The Node process \(pid \d+ on \S+\) was killed by SIGKILL during the call/,
      ) as string,
    })
    expect(await client.submit(own).result()).not.toBe(first)
    await expect(client.submit(() => process.exit(3)).result()).rejects.toThrow('exited with status 3')
    // Idle when it is killed: the next call does not notice.
    const idle = await client.submit(own).result()
    process.kill(idle, 'SIGKILL')
    // Its last thread may take a moment longer than its first.
    const look = async (): Promise<string> => {
      const threads = await readdir(`/proc/${idle}/task`).catch(() => [''])
      return `${threads.length} ${await readFile(`/proc/${idle}/stat`, 'utf8').catch(() => ') Z')}`
    }
    await until(look, (stat) => stat.startsWith('1 ') && stat.includes(') Z'), {
      what: 'it is dead',
      say: (stat) => stat,
    })
    expect(await client.submit(own).result()).not.toBe(first)
  })

  test('what a task writes into the pipe of a Node process ends that process, and no call waits for ever', async () => {
    const { client } = shared()
    const own = (): number => process.pid
    const first = await client.submit(own).result()
    expect(await client.submit(py.file(join(programs, 'garbage.py'), 'write')).result()).toBeGreaterThan(0)
    // It may not have ended when the next call begins.
    expect(await client.submit(own, [], { retries: 1 }).result({ timeout: soon })).not.toBe(first)
    const foul = client.submit(async () => {
      const { writeSync } = await import('node:fs')
      return writeSync(Number(process.argv[2]), 'garbage garbage')
    })
    await expect(foul.result({ timeout: soon })).rejects.toMatchObject({
      kind: 'node',
      message: expect.stringContaining('Cannot read the pipe of the Node process: something else') as string,
    })
    expect(await client.submit((x: number) => x, [1]).result({ timeout: soon })).toBe(1)
    expect(shared().run.stderr).toContain('dask-hpc-runner: Cannot read the pipe of a Node process: something else')
  })

  test("a worker's Node process that stays stopped is killed, and its call fails", async () => {
    const { client } = shared()
    const shorten = py`
        def shorten():
            import sys
            next(module for name, module in sys.modules.items() if name.startswith("_dask_hpc_runner_")).STOPPED_LOOKS = 2
    `
    await client.submit(shorten).result()
    const own = (): number => process.pid
    // The second does not even take its arguments.
    for (const argument of [new Float64Array(1), new Float64Array(1_000_000)]) {
      process.kill(await client.submit(own).result(), 'SIGSTOP')
      const call = client.submit((array: Float64Array) => array.length, [argument])
      await expect(call.result({ timeout: soon })).rejects.toMatchObject({
        kind: 'node',
        message: expect.stringMatching(/was killed by SIGKILL, because it stayed stopped, during the call/) as string,
      })
    }
    expect(await client.submit((x: number) => x, [1]).result()).toBe(1)
  })

  test('a Node that is not on the workers is named', async () => {
    await using client = await shared().connect({ node: '/no/such/node' })
    await expect(client.submit(() => 1).result()).rejects.toThrow(
      /Cannot start Node on \S+: '\/no\/such\/node': No such file or directory; install it there, or name one/,
    )
    await client.close()
  })
})

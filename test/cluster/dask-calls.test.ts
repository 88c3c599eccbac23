import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DaskError } from '../../src/dask/errors.ts'
import { DaskConnection } from '../../src/dask/connection.ts'
import { SchedulerClient } from '../../src/dask/scheduler-client.ts'
import { Cluster, programs, type Started } from '../support/cluster.ts'
import { startDaskScheduler } from '../support/dask.ts'
import { pythons } from '../support/pythons.ts'
import { patient, until } from '../support/until.ts'

/** What fixtures/programs/ask_scheduler.py prints. */
interface ClientSays {
  readonly id: string
  readonly address: string
  readonly services: Record<string, number>
  readonly started: number
  readonly workers: Record<string, Record<string, unknown>>
  readonly ncores: Record<string, number>
  readonly processing: Record<string, number>
  readonly versions: { host: Record<string, unknown>; packages: Record<string, string | null> }
  readonly metadata: unknown
}

const logged = { from: 'typescript', nested: { list: [1, 2.5, null, 'ä'] } }

describe.for(pythons())('with %s', ([, command]) => {
  const python = command ?? ''

  test.skipIf(command === undefined).for([
    [0, 0],
    [16, 40],
  ] as const)('every call says what Python says, with %i workers and %i tasks', async ([count, tasks]) => {
    await using cluster = await Cluster.make()
    const file = cluster.path('scheduler.json')
    const scheduler = await startDaskScheduler(cluster, file, { python })
    const { address } = JSON.parse(await readFile(file, 'utf8')) as { address: string }
    using client = await SchedulerClient.connect(address)
    const workers =
      count === 0 ? undefined : cluster.start([python, join(programs, 'workers_in_one.py'), file, String(count)])
    expect(await client.waitForWorkers(count, { timeout: patient }), workers?.output).toBe(count)
    await client.setMetadata('typescript', logged)

    const asking = cluster.start([python, join(programs, 'ask_scheduler.py'), file, String(tasks), cluster.path('go')])
    await asking.expectOutput(/^\{.*\}$/m)
    const said = JSON.parse(asking.stdout) as ClientSays
    const identity = await client.identity()
    expect({ ...identity, workers: {} }).toMatchObject({
      ...{ type: 'Scheduler', id: said.id, address: said.address, services: said.services, started: said.started },
    })
    expect(identity.workers).toMatchObject(said.workers)
    const names = Object.values(identity.workers).map(({ id }) => Number(id))
    expect(names.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i))
    const executing = Object.values(identity.workers).map(({ metrics }) => metrics?.task_counts?.executing ?? 0)
    expect(executing.some((each) => Number(each) > 0)).toBe(tasks > 0)
    expect(Object.values(said.processing).reduce((a, b) => a + b, 0)).toBe(tasks)

    for (const worker of Object.keys(identity.workers).slice(0, 1)) {
      using stranger = await SchedulerClient.connect(worker)
      const who = `a Dask worker answers there, not a scheduler; its scheduler is at ${address}`
      await expect(stranger.identity()).rejects.toThrow(`Cannot ask the scheduler at ${worker}: ${who}`)
    }

    const paused = Object.keys(said.workers).filter((each) => said.workers[each]?.status === 'paused')
    expect(paused).toHaveLength(count > 1 ? 1 : 0)
    const running = Object.entries(said.ncores).filter(([each]) => !paused.includes(each))
    expect(Object.fromEntries(await client.runningWorkers())).toEqual(Object.fromEntries(running))

    const versions = await client.versions()
    expect(versions.packages).toEqual(said.versions.packages)
    expect(versions.host.python).toBe(said.versions.host.python)
    expect(said.metadata).toEqual(logged)
    expect(await client.getMetadata('typescript')).toEqual(logged)
    expect(await client.getMetadata('python')).toEqual({ a: [1, 'b'] })
    expect(await client.getMetadata('nobody has set this')).toBe(null)

    await writeFile(cluster.path('go'), '')
    cluster.expectFile('go')
    await asking.expectStatus(0)
    if (count > 1) await expectRetirement(client, identity.workers)
    await client.terminate()
    await scheduler.expectStatus(0)
    await workers?.ended
    cluster.expectFile('dask-*-space')
    await cluster.expectNothingLeft()
  })

  test.skipIf(command === undefined)('an exception there is an error here, with its text', async () => {
    await using cluster = await Cluster.make()
    const { address, scheduler } = await startAlone(cluster, python)
    using connection = await DaskConnection.open(address)
    const error = await connection.request('get_metadata', { keys: ['missing'] }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DaskError)
    expect(error).toMatchObject({
      reason: 'call-failed',
      message: expect.stringMatching(/^Cannot get_metadata at .*: it answers .*KeyError/) as string,
    })
    expect(await connection.request('no_such_call')).toBe(null)
    expect(await connection.request('ncores_running')).toEqual({})
    scheduler.signal('SIGTERM')
    await connection.closed()
    await scheduler.ended
    await cluster.expectNothingLeft()
  })

  test.skipIf(command === undefined)(
    'a scheduler that is stopped or killed is told from one that answers',
    async () => {
      await using cluster = await Cluster.make()
      const { address, scheduler } = await startAlone(cluster, python)
      using before = await SchedulerClient.connect(address)
      using other = await SchedulerClient.connect(address)
      scheduler.signal('SIGSTOP')
      const begin = performance.now()
      await expectReason(SchedulerClient.connect(address, { timeout: 500 }), 'silent', /says nothing .* within 500 ms/)
      await expectReason(before.identity({ timeout: 500 }), 'silent', /does not answer "identity" within 500 ms/)
      await expectReason(other.terminate({ timeout: 500 }), 'silent', /keeps the connection open/)
      expect(performance.now() - begin).toBeLessThan(4000)
      scheduler.signal('SIGCONT')
      // What it was told meanwhile it does now.
      await scheduler.expectStatus(0)
      await expectReason(SchedulerClient.connect(address), 'refused', /nothing listens there/)

      const second = await startAlone(cluster, python)
      using client = await SchedulerClient.connect(second.address)
      second.scheduler.signal('SIGSTOP')
      const call = expectReason(client.identity(), 'closed', /closed the connection|connection broke/)
      second.scheduler.signal('SIGKILL')
      await call
      await second.scheduler.ended
      cluster.expectFile('scheduler.json')
      await cluster.expectNothingLeft()
    },
  )
})

async function expectRetirement(
  client: SchedulerClient,
  workers: Readonly<Record<string, { id: string | number }>>,
): Promise<void> {
  const [first = '', second = '', third = ''] = Object.keys(workers)
  const left = async (): Promise<string[]> => Object.keys((await client.identity()).workers)
  const gone = async (address: string): Promise<void> => {
    await until(left, (all) => !all.includes(address), { what: `${address} has gone`, say: (all) => all.join() })
  }
  await client.retireWorkers([first, second].map((address) => String(workers[address]?.id)))
  const running = [...(await client.runningWorkers()).keys()]
  expect([first, second].filter((address) => running.includes(address))).toEqual([])
  // They are there.
  expect(await left()).toHaveLength(Object.keys(workers).length)
  await client.unregister(third)
  await gone(third)
  // It may have gone by itself.
  await client.unregister(third)
  expect(await left()).toHaveLength(Object.keys(workers).length - 1)
  await client.retireWorkers(['nobody'])
}

async function startAlone(cluster: Cluster, python: string): Promise<{ address: string; scheduler: Started }> {
  const file = cluster.path('scheduler.json')
  const scheduler = await startDaskScheduler(cluster, file, { python })
  const { address } = JSON.parse(await readFile(file, 'utf8')) as { address: string }
  return { address, scheduler }
}

async function expectReason(doing: Promise<unknown>, reason: string, why: RegExp): Promise<void> {
  const error = await doing.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(DaskError)
  expect(error).toMatchObject({ reason, message: expect.stringMatching(why) as string })
}

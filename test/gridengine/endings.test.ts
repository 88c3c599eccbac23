import { copyFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test as anyTest } from 'vitest'
import { programs, type Started } from '../support/cluster.ts'
import { GridEngine } from '../support/gridengine/grid-engine.ts'

const examples = resolve(import.meta.dirname, '../../examples')

/** The host that is killed, and the others, on which the jobs of the other tests run. */
const [doomed, others] = ['node4', 'all.q@node0,all.q@node1,all.q@node2,all.q@node3'] as const

/** A real Grid Engine for the whole file, whose directory the jobs of all tests share. */
const test = anyTest
  .extend<{ engine: GridEngine }>({
    engine: [
      // eslint-disable-next-line no-empty-pattern -- Vitest reads the names of what a fixture needs
      async ({}, use) => {
        await using engine = await GridEngine.start(5)
        await use(engine)
      },
      { scope: 'file' },
    ],
  })
  .skipIf(process.env.DASK_HPC_RUNNER_TEST_NO_GRID_ENGINE !== undefined)

/** Submits a job with a rank on each of three hosts. */
async function submit(
  engine: GridEngine,
  name: string,
  command: string,
  args: readonly string[] = ['-q', others],
): Promise<Started> {
  const head = ['#!/bin/bash', `#$ -N ${name}`, '#$ -pe dask 3', '#$ -cwd', '#$ -V', '#$ -j y']
  await writeFile(engine.path(name), `${[...head, `exec dask-hpc-runner spread -- ${command}`].join('\n')}\n`)
  return engine.submit(name, args)
}

const hold = `python ${join(programs, 'hold.py')} go`

test.concurrent('gridengine.sh runs as it is', async ({ engine }) => {
  await copyFile(join(examples, 'client.py'), engine.path('client.py'))
  await copyFile(join(examples, 'gridengine.sh'), engine.path('gridengine.sh'))
  await engine.submit('gridengine.sh', ['-q', others]).expectStatus(0)
  expect(await engine.outputOf('dask')).toContain('sum of squares: 285\n')
})

test.concurrent("a job ends with the program's status", async ({ engine }) => {
  await (await submit(engine, 'status', `run -- python ${join(programs, 'end.py')} 3`)).expectStatus(3)
})

test.concurrent('the elements of an array job are one run', async ({ engine }) => {
  const head = ['#!/bin/bash', '#$ -N array', '#$ -t 3-7:2', '#$ -cwd', '#$ -V', '#$ -j y']
  const run = `exec dask-hpc-runner run -- python ${join(programs, 'workers.py')} 2`
  await writeFile(engine.path('array'), `${[...head, run].join('\n')}\n`)
  await engine.submit('array', ['-q', others]).expectStatus(0)
  expect(await engine.outputOf('array')).toContain('result 21 on 2\n')
})

test.concurrent('qdel ends all of a job', async ({ engine }) => {
  const job = await submit(engine, 'deleted', `run -- ${hold}`)
  await engine.expectOutput('deleted', 'ready')
  await engine.on(['qdel', 'deleted'])
  await job.ended
})

test.concurrent('where a host is killed that the run cannot do without, all of it ends with 69', async ({ engine }) => {
  const places = ['-masterq', 'all.q@node0', '-q', `all.q@node0,all.q@node1,all.q@${doomed}`]
  const job = await submit(engine, 'lost', `run --lost-after 10s -- ${hold}`, places)
  await engine.expectOutput('lost', 'ready')
  await engine.killHost(doomed)
  await job.expectStatus(69)
  expect(await engine.outputOf('lost')).toMatch(/error: Lost rank [12] \(\w+\) on node4: /)
})

test('none of them has left a process or a file', async ({ engine }) => {
  const scripts = ['client.py', 'gridengine.sh', 'status', 'array', 'deleted', 'lost']
  await engine.expectNothingLeft([...scripts, 'dask.o', 'status.o', 'array.o', 'deleted.o', 'lost.o'])
})

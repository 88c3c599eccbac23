import { copyFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { programs, type Started } from '../support/cluster.ts'
import { GridEngine } from '../support/gridengine/grid-engine.ts'

const examples = resolve(import.meta.dirname, '../../examples')
/** Whether the set-up of the test run has found that Grid Engine cannot run here. */
const none = process.env.DASK_HPC_RUNNER_TEST_NO_GRID_ENGINE !== undefined

/** The host that is killed, and the others, on which the jobs of the other tests run. */
const [doomed, others] = ['node4', 'all.q@node0,all.q@node1,all.q@node2,all.q@node3'] as const

let engine: GridEngine
beforeAll(async () => {
  if (!none) engine = await GridEngine.start(5)
})
afterAll(async () => {
  if (!none) await engine[Symbol.asyncDispose]()
})

/** Submits a job with a rank on each of three hosts. */
async function submit(name: string, command: string, args: readonly string[] = ['-q', others]): Promise<Started> {
  const head = ['#!/bin/bash', `#$ -N ${name}`, '#$ -pe dask 3', '#$ -cwd', '#$ -V', '#$ -j y']
  await writeFile(engine.path(name), `${[...head, `exec dask-hpc-runner spread -- ${command}`].join('\n')}\n`)
  return engine.submit(name, args)
}

const hold = `python ${join(programs, 'hold.py')} go`

describe.skipIf(none)('jobs of a real Grid Engine', () => {
  describe.concurrent('on several hosts', () => {
    test('gridengine.sh runs as it is', async () => {
      await copyFile(join(examples, 'client.py'), engine.path('client.py'))
      await copyFile(join(examples, 'gridengine.sh'), engine.path('gridengine.sh'))
      await engine.submit('gridengine.sh', ['-q', others]).expectStatus(0)
      expect(await engine.outputOf('dask')).toContain('sum of squares: 285\n')
    })

    test("a job ends with the program's status", async () => {
      await (await submit('status', `run -- python ${join(programs, 'end.py')} 3`)).expectStatus(3)
    })

    test('the elements of an array job are one run', async () => {
      const head = ['#!/bin/bash', '#$ -N array', '#$ -t 3-7:2', '#$ -cwd', '#$ -V', '#$ -j y']
      const run = `exec dask-hpc-runner run -- python ${join(programs, 'workers.py')} 2`
      await writeFile(engine.path('array'), `${[...head, run].join('\n')}\n`)
      await engine.submit('array', ['-q', others]).expectStatus(0)
      expect(await engine.outputOf('array')).toContain('result 21 on 2\n')
    })

    test('qdel ends all of a job', async () => {
      const job = await submit('deleted', `run -- ${hold}`)
      await engine.expectOutput('deleted', 'ready')
      await engine.on(['qdel', 'deleted'])
      await job.ended
    })

    test('where a host is killed that the run cannot do without, all of it ends with 69', async () => {
      const places = ['-masterq', 'all.q@node0', '-q', `all.q@node0,all.q@node1,all.q@${doomed}`]
      const job = await submit('lost', `run --lost-after 2s -- ${hold}`, places)
      await engine.expectOutput('lost', 'ready')
      await engine.killHost(doomed)
      await job.expectStatus(69)
      expect(await engine.outputOf('lost')).toMatch(/error: Lost rank [12] \(\w+\) on node4: /)
    })
  })

  test('none of them has left a process or a file', async () => {
    const scripts = ['client.py', 'gridengine.sh', 'status', 'array', 'deleted', 'lost']
    await engine.expectNothingLeft([...scripts, 'dask.o', 'status.o', 'array.o', 'deleted.o', 'lost.o'])
  })
})

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'
import { pythons } from '../support/pythons.ts'

describe.for(pythons())('with %s', ([, command]) => {
  test.skipIf(command === undefined).each([
    ['workers', []],
    ['workers under a nanny', ['--nanny']],
  ])('a run that ends while heartbeats of %s are under way alarms nobody', async (_, flags) => {
    await using cluster = await Cluster.make()
    const python = command ?? ''
    const slow = ['--python', python, '--preload', join(programs, 'slow_heartbeat.py')]
    const run = cluster.run(['local', '-n', '4', ...slow, ...flags, '--', python, join(programs, 'hold.py'), 'go'])
    await run.expectOutput('ready')
    // The first ones come a second after the workers.
    await run.expectOutput('heartbeats')
    await writeFile(cluster.path('go'), '')
    cluster.expectFile('go')
    await run.expectStatus(0)
    expect(run.stdout).toContain('result 21')
    run.expectNoAlarm()
    await cluster.expectNothingLeft()
  })
})

import { execFileSync } from 'node:child_process'
import { describe, expect, it, onTestFinished } from 'vitest'
import { daskTable } from '../../src/options/dask-table.ts'
import { flagOf } from '../../src/options/names.ts'
import { DaskProcess } from '../../src/python/dask-process.ts'
import { newReaper } from '../process/support/processes.ts'
import { python } from '../support/cluster.ts'
import { debian13Python } from '../support/debian13.ts'

/** Flags of Dask that are no options of ours, and why. */
const notPassedOn: Readonly<Record<string, string>> = {
  '--name': 'a worker is named by its rank, by which its end is told',
  '--scheduler-file': 'Dask writes it in place, and removes whoever is there; the runner publishes it',
  '--pid-file': 'the runner watches over its processes, and has their ids',
  '--show': 'no browser is opened on a node',
  '--version': 'ends at once',
  '--help': 'ends at once',
}

/** What `dask scheduler --help` and `dask worker --help` print. */
const help = `
import click
from distributed.cli import dask_scheduler, dask_worker
for part in (dask_scheduler, dask_worker):
    print(part.main.get_help(click.Context(part.main)))
    print("====")`

describe.for([
  ["this machine's Dask", python],
  ["Debian 13's Dask", debian13Python()],
] as const)('the flags of %s', { timeout: 120_000 }, ([, command]) => {
  it.skipIf(command === undefined)('are options of ours, but for those that are not for the user', () => {
    const text = execFileSync(command ?? '', ['-c', help], { encoding: 'utf8' })
    const [scheduler = [], worker = []] = text
      .split('====\n')
      .map((part) => [...part.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, flag = '']) => flag))
    expect(scheduler).toContain('--idle-timeout')
    expect(worker).toContain('--death-timeout')
    const ours = Object.keys(daskTable).map(flagOf)
    const left = [...scheduler, ...worker].filter((flag) => !ours.includes(flag) && !(flag in notPassedOn))
    expect(left).toEqual([])
  })
})

it('a flag that the installed Dask does not have is named by the option that it comes from', async () => {
  const { PATH } = process.env
  const dask = DaskProcess.start({
    ...{ python, component: 'scheduler', name: 'scheduler', env: { PATH }, reaper: newReaper() },
    onLines: () => undefined,
    log: ['warning', false],
  })
  onTestFinished(async () => {
    dask.kill()
    await dask.exited
  })
  const names = { '--later': 'DASK_HPC_RUNNER_LATER' }
  dask.begin(['--port', '0', '--later', '3', '--', '--of-a-preload'], { environment: {}, resources: {}, names })
  await expect(dask.started).rejects.toMatchObject({
    code: 'ERR_USAGE',
    message: expect.stringMatching(
      /^Cannot use DASK_HPC_RUNNER_LATER: the scheduler of Dask \d[\d.]+ in \S+ has no option --later; leave it out, or install another Dask$/,
    ) as string,
  })
})

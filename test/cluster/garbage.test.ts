import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Cluster as TestCluster, Cluster, programs, python } from '../support/cluster.ts'
import { commandLine, text } from '../support/processes.ts'

const garbage = join(programs, 'garbage.py')

/** Processor time that the reapers of a test have used, their own processes included. In hundredths of a second. */
function timeOfReapers(cluster: TestCluster): number {
  const reapers = cluster.processes().filter((pid) => commandLine(pid).includes('dask-run-reaper'))
  const times = reapers.flatMap((pid) => {
    const stat = text(pid, 'stat')
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15)
      .map(Number)
  })
  return times.reduce((a, b) => a + b, 0)
}

test.concurrent.for([
  ['--nanny', ['--nanny'], /^program 0\ntask True\nworker True\nnanny True\n/],
  ['--nworkers', ['--nworkers', '2'], /^program 0\ntask True\nworker True\n/],
] as const)(
  'with %s: what tasks, workers and nannies write into our pipes is ignored, and a PATH without any program does no harm',
  async ([, args, says]) => {
    await using cluster = await Cluster.make()
    // The directory of the test stays, by which its processes are known.
    const env = { PATH: `${cluster.directory}/bin:/nowhere` }
    const local = ['local', '-n', '3', '--python', python, '--lost-after', '10s', ...args]
    const run = cluster.run([...local, '--', python, garbage, args[0].slice(2)], env)
    await run.expectOutput('beat')
    // One that is stopped for a moment is not killed at once.
    const [member = -1] = cluster.membersOf(run.pid)
    process.kill(member, 'SIGSTOP')
    const beats = (): number => run.stdout.split('beat').length
    const before = timeOfReapers(cluster)
    const until = beats() + 8
    await run.expectOutput(new RegExp(`(beat(.|\\n)*){${until}}`))
    process.kill(member, 'SIGCONT')
    expect(timeOfReapers(cluster)).toBeLessThan(before + 100)
    await writeFile(cluster.path('go-on'), '')
    cluster.expectFile('go-on')
    await run.expectStatus(0)
    expect(run.stdout).toMatch(says)
    expect(run.stdout).toMatch(/\nend 4\n$/)
    expect(run.stderr).toContain('warning: a task has written to file descriptor 3')
    expect(run.stderr).not.toMatch(/Lost rank|SyntaxWarning/)
    await cluster.expectNothingLeft()
  },
)

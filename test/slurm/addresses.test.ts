import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { programs } from '../support/cluster.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'

// Two networks, one of which reaches nobody, no default route and names that do not resolve: left to
// itself, Dask would choose 127.0.0.1.
const test = slurmTest({ deadEnd: true, defaultRoute: false, namesResolve: false })
const run = ['dask-hpc-runner', 'run']
const addresses = ['--', 'python', join(programs, 'addresses.py')]
const four = ['--nodes=4', '--ntasks=4']
const reachable =
  /scheduler tcp:\/\/10\.97\.0\.\d+:\d+\nworker 2 tcp:\/\/10\.97\.0\.\d+:\d+ .*\nworker 3 tcp:\/\/10\.97\.0\.\d+:\d+ /

test.for([
  ['by default', []],
  ['by name and by network', ['--scheduler-interface', 'ib0,eth0', '--worker-interface', '10.97.0.0/24']],
] as const)('the addresses are those that the other hosts reach: %s', async ([, options], { work }) => {
  const step = work.srun(four, [...run, ...options, ...addresses])
  await step.expectStatus(0)
  expect(step.stdout).toMatch(reachable)
  expect(step.stdout).toContain('result 21')
  step.expectNoAlarm()
  await work.expectNothingLeft()
})

test('an address that the other hosts do not reach ends the run, and is named', async ({ work }) => {
  const step = work.srun(four, [...run, '--interface', 'eth1', '--rendezvous-timeout', '2m', ...addresses])
  await step.expectStatus(69)
  expect(step.stderr).toMatch(
    /Cannot use the scheduler at tcp:\/\/10\.98\.0\.\d+:\d+ from node\d: it cannot be reached/,
  )
  await work.expectNothingLeft()
})

test('an interface that does not exist ends the run with those that do', async ({ work }) => {
  const step = work.srun(four, [...run, '--interface', 'ib7', ...addresses])
  await step.expectStatus(64)
  expect(step.stderr).toMatch(
    /Cannot use --interface "ib7": this host has lo \(127\.0\.0\.1\), eth0 \(10\.97\.0\.\d+\), eth1/,
  )
  await work.expectNothingLeft()
})

test('ports are taken from the ranges that are named', async ({ work }) => {
  const ports = ['--port', '18000:18010', '--worker-port', '18200:18210', '--control-port', '18100:18110']
  const step = work.srun(four, [...run, ...ports, '--scheduler-file', 'F.json', ...addresses])
  await step.expectStatus(0)
  expect(step.stdout).toMatch(/scheduler tcp:\/\/10\.97\.0\.\d+:180(0\d|10)\n/)
  expect(step.stdout.match(/worker \d tcp:\/\/10\.97\.0\.\d+:182(0\d|10) /g)).toHaveLength(2)
  await work.expectNothingLeft()
})

/** What comes from such a port goes nowhere, as behind a firewall that drops it; the ports are the test's alone. */
function dropping(ports: string): (what: 'add' | 'del') => string[] {
  return (what) => ['ip', 'rule', what, 'sport', ports, 'ipproto', 'tcp', 'blackhole']
}

test('control ports that are closed between the hosts are named, by the run and by doctor', async ({ slurm, work }) => {
  const rule = dropping('18300-18310')
  for (const host of slurm.nodes) await slurm.run(host, rule('add'))
  const closed = ['--control-port', '18300:18310', '--rendezvous-timeout', '10s', '--scheduler-file', 'F.json']
  const step = work.srun(four, [...run, ...closed, '--no-scancel', ...addresses])
  await step.ended
  expect(step.stderr).toMatch(/error: Cannot join rank 0 on node\d, port 183\d\d: no connection to .*--control-port/)
  const doctor = work.srun(four, ['dask-hpc-runner', 'doctor', ...closed])
  await doctor.ended
  expect(doctor.stdout).toMatch(/problem.* gets? no answer at 10\.97\.0\.\d+:183\d\d, .*\n.*--control-port/)
  for (const host of slurm.nodes) await slurm.run(host, rule('del'))
  await work.expectNothingLeft()
})

test('a port of workers that is dropped between the hosts is named, with the address and the option', async ({
  slurm,
  work,
}) => {
  const rule = dropping('18400-18410')
  for (const host of slurm.nodes) await slurm.run(host, rule('add'))
  const closed = ['--worker-port', '18400:18410', '--wait-workers', 'all', '--workers-timeout', '40s']
  const step = work.srun(four, [...run, ...closed, ...addresses])
  await step.expectStatus(75)
  expect(step.stderr).toMatch(
    /worker 2 on node2 \(node0 cannot connect to it at tcp:\/\/10\.97\.0\.\d+:184\d\d \(no answer\): .*--worker-port/,
  )
  for (const host of slurm.nodes) await slurm.run(host, rule('del'))
  await work.expectNothingLeft()
})

test('a worker gets what its task has, and no more', async ({ work }) => {
  const script = `#!/bin/bash\nsrun --cpus-per-task=3 ${[...run, ...addresses].join(' ')}\n`
  const job = await work.sbatch(script, ['--nodes=2', '--ntasks-per-node=2', '--cpus-per-task=3', '--mem=1000M'])
  await work.expectEnd(job, { JobState: 'COMPLETED', ExitCode: '0:0' })
  // The affinity is that of this machine, whatever Slurm believes.
  const threads = Math.min(3, availableParallelism())
  const bytes = 500 * 1024 * 1024
  expect((await work.outputOf(job)).replaceAll(/tcp\S+/g, 'at')).toContain(
    `worker 2 at threads ${threads} memory ${bytes}\nworker 3 at threads ${threads} memory ${bytes}\n`,
  )
  await work.expectNothingLeft()
})

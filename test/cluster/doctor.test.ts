import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs, python } from '../support/cluster.ts'
import { startDaskScheduler } from '../support/dask.ts'
import { expectNothingFound } from '../support/doctor-report.ts'
import { canHang, HangingMount } from '../support/hanging-mount.ts'
import { fourTasks } from '../support/step.ts'
import { until } from '../support/until.ts'

const stepOfFour = resolve(import.meta.dirname, '../../fixtures/bin/srun')
const program = resolve(import.meta.dirname, '../../dist/cli.cjs')

/** A program in the directory of the test. */
async function script(cluster: Cluster, name: string, text: string): Promise<string> {
  const path = join(cluster.directory, 'bin', name)
  await writeFile(path, `#!/bin/sh\n${text}\n`)
  await chmod(path, 0o755)
  return path
}

test('looks at a machine without a job, and leaves nothing', async () => {
  await using cluster = await Cluster.make()
  const doctor = cluster.run(['doctor', '--', 'python3', 'client.py'])
  await doctor.expectStatus(0)
  expect(doctor.stdout).toMatch(/^note +identity +this is no job of a workload manager/m)
  expect(doctor.stdout).toMatch(/^ok +dask +distributed 2/m)
  expect(doctor.stdout).toMatch(/^ok +client +"python3 client\.py" runs in the same Python$/m)
  expect(doctor.stdout).toMatch(/^ok +directory +".*" \(.*\) has .* publishing there took /m)
  expectNothingFound(doctor.stdout)
  await cluster.expectNothingLeft()
})

test('with --secure, what demands encryption is no problem, and no certificates are missed', async () => {
  await using cluster = await Cluster.make()
  await writeFile(join(cluster.directory, 'encrypt.yaml'), 'distributed: {comm: {require-encryption: true}}')
  const env = {
    DASK_CONFIG: join(cluster.directory, 'encrypt.yaml'),
    DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION: 'True',
  }
  const doctor = cluster.run(['doctor', '--secure', '--protocol', 'tls'], env)
  await doctor.expectStatus(0)
  expect(doctor.stdout).toMatch(/^note +configuration +".*encrypt.yaml" sets distributed.comm.require-encryption$/m)
  expectNothingFound(doctor.stdout)
  await cluster.expectNothingLeft()
})

test('takes a directory that a run would make, and does not make it', async () => {
  await using cluster = await Cluster.make()
  const doctor = cluster.run(['doctor', '--scheduler-file', 'a/b/F.json'])
  await doctor.expectStatus(0)
  expect(doctor.stdout).toMatch(/^note +directory +".*\/a\/b" is missing; a run makes it$/m)
  const joining = cluster.run(['doctor', '--scheduler-file', 'a/b/F.json', '--no-scheduler'])
  await joining.expectStatus(0)
  expect(joining.stdout).toMatch(
    /^warning +scheduler file +Cannot join .*: there is no such file, or no directory ".*\/a\/b"$/m,
  )
  await cluster.expectNothingLeft()
})

test('compares the processes of a step, and one of them speaks', async () => {
  await using cluster = await Cluster.make()
  const doctor = cluster.start([stepOfFour, process.execPath, program, 'doctor'])
  await doctor.expectStatus(0)
  expect(doctor.stdout.match(/^ok +directory +all 4 processes see "/gm)).toHaveLength(1)
  expect(doctor.stdout.match(/^ok +node /gm)).toHaveLength(1)
  await cluster.expectNothingLeft()
})

test('names a process that does not come', async () => {
  await using cluster = await Cluster.make()
  const [first = {}, second = {}, third = {}] = fourTasks()
  const [zero] = [first, second, third].map((env) => cluster.run(['doctor', '--timeout', '15s'], env))
  await zero?.expectStatus(78)
  expect(zero?.stdout).toMatch(
    /^problem +directory +no word of rank 3 \(node3\) in ".*" within (1[5-9]|[2-9]\d)(\.\d)? s/m,
  )
  await cluster.expectNothingLeft()
})

test('a Python that hangs is named, and ended with what it has started', async () => {
  await using cluster = await Cluster.make()
  const hanging = await script(cluster, 'hanging', 'sleep 1000; exit 0')
  const doctor = cluster.run(['doctor', '--python', hanging, '--rendezvous-timeout', '3s'])
  await doctor.expectStatus(78)
  expect(doctor.stdout).toMatch(
    /^problem +python +Cannot find a Python that has Dask: ".*hanging" gives no answer within 3 s$/m,
  )
  await cluster.expectNothingLeft()
})

test('a Python that is slow is waited for, that of the program too, and called so', async () => {
  await using cluster = await Cluster.make()
  // 3 s are 12 s to the doctor.
  const slow = await script(cluster, 'slow', `[ -e asked ] || { touch asked; sleep 3; }; exec '${python}' "$@"`)
  cluster.expectFile('asked')
  const ofProgram = await script(cluster, 'python3.98', `sleep 3; exec '${python}' "$@"`)
  const fast = { NODE_OPTIONS: `--require=${join(programs, 'fast-clock.cjs')}` }
  const doctor = cluster.run(['doctor', '--python', slow, '--', ofProgram, 'client.py'], fast)
  await doctor.expectStatus(0)
  expect(doctor.stdout).toMatch(/^ok +client +".*python3.98 client.py" runs in /m)
  expect(doctor.stdout).toMatch(/^warning +python +it is slow: it took \d\d s to say which Dask it has/m)
  await cluster.expectNothingLeft()
})

test.skipIf(!canHang)('a call to a filesystem that never returns does not keep it from ending', async () => {
  await using cluster = await Cluster.make()
  const directory = join(cluster.directory, 'mounted')
  await using mount = await HangingMount.of(join(cluster.directory, 'source'), directory)
  await writeFile(join(directory, 'client'), '', { mode: 0o755 })
  mount.hang()
  const doctor = cluster.run(['doctor', '--filesystem-timeout', '5s', '--', join(directory, 'client')])
  await doctor.expectStatus(78)
  expect(doctor.stdout).toMatch(
    /^problem +client +Cannot look at ".*client": its filesystem has not answered for 5 s$/m,
  )
  expect(doctor.stdout).toMatch(/^ok +dask /m)
  mount.goOn()
  await cluster.expectNothingLeft()
})

test('names a client program in another Python, and one of dask-mpi', async () => {
  await using cluster = await Cluster.make()
  await mkdir(cluster.path('other/distributed'), { recursive: true })
  await writeFile(cluster.path('other/distributed/__init__.py'), '__version__ = "2021.1.0"\n')
  cluster.expectFile('other')
  const other = await script(cluster, 'python3.99', `PYTHONPATH='${cluster.path('other')}' exec '${python}' "$@"`)
  await writeFile(cluster.path('client.py'), '#!/usr/bin/env python3.99\nimport dask_mpi\n', { mode: 0o755 })
  cluster.expectFile('client.py')
  for (const command of [['./client.py'], [other, 'client.py'], ['env', 'python3.99', 'client.py']]) {
    const doctor = cluster.run(['doctor', '--json', '--', ...command])
    await doctor.expectStatus(78)
    expect(JSON.parse(doctor.stdout)).toContainEqual({
      level: 'problem',
      subject: 'client',
      finding: expect.stringMatching(/: distributed 2021\.1\.0 and not 2/) as string,
      advice: 'activate one environment for the whole job, or name its Python by --python',
    })
    expect(JSON.parse(doctor.stdout)).toContainEqual({
      level: 'note',
      subject: 'client',
      finding: expect.stringMatching(/client\.py" imports dask_mpi, and if it calls initialize\(\)/) as string,
      advice: 'leave initialize() out: Client() finds the cluster that is there',
    })
  }
  await cluster.expectNothingLeft()
})

test('says that a living scheduler stands in the way', async () => {
  await using cluster = await Cluster.make()
  const scheduler = await startDaskScheduler(cluster, cluster.path('F.json'))
  const doctor = cluster.run(['doctor', '--scheduler-file', 'F.json'])
  await doctor.expectStatus(78)
  expect(doctor.stdout).toMatch(
    /^problem +scheduler file +Cannot publish ".*F\.json": the Dask scheduler that it names answers at tcp/m,
  )
  const joining = cluster.run(['doctor', '--scheduler-file', 'F.json', '--no-scheduler'])
  await joining.expectStatus(0)
  expect(joining.stdout).toMatch(/^ok +scheduler file +.*F\.json; its scheduler at tcp.* answers$/m)
  scheduler.signal('SIGTERM')
  await scheduler.ended
  await cluster.expectNothingLeft()
})

test('ends at a signal, without a word and with nothing left', async () => {
  await using cluster = await Cluster.make()
  const only = cluster.run(['doctor', '--timeout', '5m'], fourTasks()[0])
  await until(
    async () => await readdir(cluster.work),
    (names) => names.some((name) => name.includes('.doctor-')),
    { what: 'rank 0 waits', say: (names) => names.join(' ') },
  )
  only.signal('SIGTERM')
  await only.expectStatus(143)
  expect(only.stdout).toBe('')
  await cluster.expectNothingLeft()
})

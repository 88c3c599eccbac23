import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { Cluster } from '../support/cluster.ts'

/** A cluster whose user has a configuration of Dask's with this text. */
async function withConfiguration(text: string): Promise<{ cluster: Cluster; env: NodeJS.ProcessEnv; file: string }> {
  const cluster = await Cluster.make()
  const directory = `${cluster.directory}/dask`
  await mkdir(directory)
  await writeFile(`${directory}/mine.yaml`, text)
  return { cluster, env: { DASK_CONFIG: directory }, file: `${directory}/mine.yaml` }
}

test('a run does not wait for a named pipe among the files of the configuration, and names it', async () => {
  const { cluster, env } = await withConfiguration('')
  await using _ = cluster
  const pipe = `${env.DASK_CONFIG}/pipe.yaml`
  execFileSync('mkfifo', [pipe])
  const run = cluster.run(['local', '-n', '3', '--', 'sleep', '600'], env)
  await run.expectStatus(69)
  expect(run.errors()).toEqual([
    expect.stringContaining(`Cannot import Dask: "${pipe}" is a named pipe; remove it, or name another directory`),
  ])
  await cluster.expectNothingLeft()
})

test.for([
  ['encryption is required', 'distributed: {comm: {require-encryption: true}}', 'distributed.comm.require-encryption'],
  ['an idle scheduler ends', 'distributed: {scheduler: {idle-timeout: 1s}}', 'distributed.scheduler.idle-timeout'],
  ['workers live shortly', 'distributed: {worker: {lifetime: {duration: 1s}}}', 'distributed.worker.lifetime.duration'],
  ['a file is malformed', 'distributed: [', 'malformed'],
] as const)('a run that ends because %s names the key or the file', async ([, text, cause]) => {
  const { cluster, env, file } = await withConfiguration(text)
  await using _ = cluster
  const run = cluster.run(['local', '-n', '3', '--grace', '2s', '--', 'sleep', '600'], env)
  await run.expectStatus(69)
  expect(run.stderr, run.output).toMatch(new RegExp(`error: .* exited with status .*${cause.replaceAll('.', '\\.')}`))
  const doctor = cluster.run(['doctor'], env)
  await doctor.ended
  expect(doctor.stdout).toMatch(
    new RegExp(`^(problem|warning) +configuration +.*"${file}".*${cause.replaceAll('.', '\\.')}`, 'm'),
  )
  await cluster.expectNothingLeft()
})

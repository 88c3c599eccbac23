import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Cluster, Started } from './cluster.ts'
import { closedPort } from './connections.ts'
import { until } from './until.ts'

/** How to start Dask's own scheduler. */
export interface DaskSchedulerOptions {
  /** @default that of the test run */
  readonly python?: string
  /** More of its options. */
  readonly args?: readonly string[]
}

/** Starts Dask's own scheduler, which has nothing to do with us, and waits for its scheduler file. */
export async function startDaskScheduler(
  cluster: Cluster,
  schedulerFile: string,
  { python = 'python3', args = [] }: DaskSchedulerOptions = {},
): Promise<Started> {
  const options = ['--host', '127.0.0.1', '--port', '0', '--no-dashboard', '--scheduler-file', schedulerFile]
  const scheduler = cluster.start([python, '-m', 'distributed.cli.dask_scheduler', ...options, ...args])
  await published(schedulerFile, scheduler)
  return scheduler
}

/** Waits until there is a whole scheduler file at `path`; gives its text. */
export async function published(path: string, by: Started): Promise<string> {
  return await until(
    async () => ((await readdir(dirname(path))).includes(basename(path)) ? await readFile(path, 'utf8') : ''),
    (text) => text.trimEnd().endsWith('}'),
    { what: `"${path}" is published`, say: (text) => Promise.resolve(`${text}\n${by.output}`) },
  )
}

/** The text of a file that a real scheduler has written, with an address on this machine that refuses. */
export async function deadSchedulerFile(): Promise<string> {
  const text = await readFile(new URL('../../fixtures/dask/scheduler-file-2026.7.1.json', import.meta.url), 'utf8')
  return text.replace(/tcp:\/\/127\.0\.0\.1:\d+/, `tcp://127.0.0.1:${closedPort}`)
}

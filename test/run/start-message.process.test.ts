import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { completeOptions, type RunnerOptions } from '../../src/options.ts'
import { logOpenPorts, warnOfOtherPython } from '../../src/run/start-message.ts'
import { temporaryDirectory } from '../process/support/processes.ts'

const versions = { python: '3.11.2', dask: '2022.12.1', distributed: '2022.12.1' }

/** A stand-in for a Python that says where it is, if it has Dask. */
function python(path: string, { hasDask }: { readonly hasDask: boolean }): string {
  mkdirSync(dirname(path), { recursive: true })
  const described = JSON.stringify({ executable: path, version: '3.11.2', packages: versions, place: null })
  const says = `case "$2" in *packages*) echo '${described}' ;; *) printf %s '${path}' ;; esac`
  writeFileSync(path, `#!/bin/sh\n${hasDask ? says : ''}\n`)
  chmodSync(path, 0o755)
  return path
}

/** What is said of a program whose `python` is that of the directory `own`. */
async function warned(root: string, options: Readonly<Record<string, unknown>> = {}): Promise<string[]> {
  const said: string[] = []
  const env = { PATH: `${join(root, 'own/bin')}:/usr/bin:/bin`, VIRTUAL_ENV: join(root, 'venv') }
  const run = {
    logger: { warn: (text: string) => said.push(text) },
    options: { env, rendezvousTimeout: 20_000, ...options },
  }
  await warnOfOtherPython(['python', 'client.py'], run as never, Promise.resolve(versions))
  return said
}

test('a program in a Python without Dask is told of, with that of the cluster', async () => {
  const root = temporaryDirectory()
  const [own, venv] = [join(root, 'own/bin/python'), join(root, 'venv/bin/python')]
  python(own, { hasDask: false })
  python(venv, { hasDask: true })
  expect(await warned(root)).toEqual([
    `the client program runs in ${own}, which has no module distributed, and the cluster in ${venv}: use one Python environment for both`,
  ])
})

test('a program in another Python than that of --python is told of, though the versions are the same', async () => {
  const root = temporaryDirectory()
  const own = python(join(root, 'own/bin/python'), { hasDask: true })
  const named = python(join(root, 'named/python'), { hasDask: true })
  const said = await warned(root, { python: named })
  expect(said).toHaveLength(1)
  expect(said[0]).toContain(own)
  expect(said[0]).toContain(named)
  expect(await warned(root, { python: own })).toEqual([])
})

test('a run of one host whose scheduler is on loopback says what else is open', async () => {
  const of = async (given: RunnerOptions): Promise<readonly string[]> => {
    const said: string[] = []
    const run = {
      logger: { info: (text: string) => said.push(text) },
      options: completeOptions(given),
      identity: { nodes: 1 },
    }
    await logOpenPorts({ address: 'tcp://127.0.0.1:8786' } as never, run as never)
    return said
  }
  const open = 'ports of Dask are open to everybody who reaches this network:'
  expect(await of({})).toEqual([])
  expect(await of({ listenAddress: 'tcp://0.0.0.0:9000' })).toEqual([
    `${open} workers, dashboards of the workers; --secure closes them`,
  ])
  expect(await of({ listenAddress: 'tcp://:9000', nanny: true, protocol: 'tls' })).toEqual([
    `${open} dashboards of the workers; --secure closes them`,
  ])
  expect(await of({ listenAddress: 'tcp://127.0.0.1:9000' })).toEqual([])
  expect(await of({ dashboardAddress: '0.0.0.0:0' })).toEqual([`${open} dashboard; --secure closes them`])
  expect(await of({ dashboardAddress: '0.0.0.0:0', secure: true })).toEqual([`${open} dashboard`])
})

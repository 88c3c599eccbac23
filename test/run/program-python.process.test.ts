import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { ProgramPython } from '../../src/run/program-python.ts'
import { temporaryDirectory } from '../process/support/processes.ts'

const versions = { python: '3.11.2', dask: '2022.12.1', distributed: '2022.12.1' }
const advice = 'activate one environment for the whole job, or name the Python of the program by --python'

/** A stand-in for a Python that says where it is if it has Dask, and which versions it has. */
function python(path: string, distributed?: string): string {
  mkdirSync(dirname(path), { recursive: true })
  const packages = distributed === undefined ? {} : { dask: distributed, distributed }
  const described = JSON.stringify({ executable: path, version: '3.11.2', packages, place: null })
  const found = distributed === undefined ? '' : path
  writeFileSync(path, `#!/bin/sh\ncase "$2" in *packages*) echo '${described}' ;; *) printf %s '${found}' ;; esac\n`)
  chmodSync(path, 0o755)
  return path
}

interface Setting {
  readonly options?: Readonly<Record<string, unknown>>
  /** Hosts of the run. */
  readonly nodes?: number
  /** @default at once */
  readonly cluster?: Promise<typeof versions | undefined>
  readonly command?: readonly [string, ...string[]]
}

/** A program whose `python` is that of the directory `own`, in a run whose cluster has that of `venv`, and what is said of it. */
function program(root: string, setting: Setting = {}) {
  const { options = {}, nodes = 1, cluster = Promise.resolve(versions), command = ['python', 'client.py'] } = setting
  const said: string[] = []
  const env = { PATH: `${join(root, 'own/bin')}:/usr/bin:/bin`, VIRTUAL_ENV: join(root, 'venv') }
  const run = {
    logger: { warn: (text: string) => said.push(text) },
    options: { env, rendezvousTimeout: 20_000, scheduler: true, ...options },
    identity: { nodes },
  }
  const path = async () => await Promise.resolve(join(root, 'venv/bin/python'))
  return { said, python: new ProgramPython(command, run as never, { versions: cluster, path }) }
}

test('a program in a Python without Dask is told of, once, with that of the cluster and what to do', async () => {
  const root = temporaryDirectory()
  const own = python(join(root, 'own/bin/python'))
  const venv = python(join(root, 'venv/bin/python'), '2022.12.1')
  const { said, ...early } = program(root)
  await early.python.warn()
  await early.python.warnAtFailure()
  expect(said).toEqual([
    `the client program runs in ${own} (Python 3.11.2), which has no module distributed, and the cluster Dask 2022.12.1 ` +
      `(Python 3.11.2) of ${venv}: activate one environment that has Dask for the whole job, or start the program with ${venv}`,
  ])
})

test('where it fails before the cluster is there, its end does not wait for that', async () => {
  const root = temporaryDirectory()
  const own = python(join(root, 'own/bin/python'))
  const venv = python(join(root, 'venv/bin/python'), '2022.12.1')
  const early = program(root, { cluster: new Promise(() => undefined) })
  void early.python.warn()
  await early.python.warnAtFailure()
  expect(early.said).toHaveLength(1)
  expect(early.said[0]).toContain(
    `runs in ${own} (Python 3.11.2), which has no module distributed, and the cluster in ${venv}: `,
  )
})

test('a program in another Python than that of --python is told of, though the versions are the same', async () => {
  const root = temporaryDirectory()
  const own = python(join(root, 'own/bin/python'), '2022.12.1')
  const named = python(join(root, 'named/python'), '2022.12.1')
  const other = program(root, { options: { python: named } })
  await other.python.warn()
  expect(other.said).toEqual([
    `the client program runs Dask 2022.12.1 (Python 3.11.2) of ${own}, the cluster Dask 2022.12.1 (Python 3.11.2) of ${named}: ${advice}`,
  ])
  const same = program(root, { options: { python: own } })
  await same.python.warn()
  await same.python.warnAtFailure()
  expect(same.said).toEqual([])
})

test('a program with another Dask than that of the cluster on other hosts is told of when it fails', async () => {
  const root = temporaryDirectory()
  const own = python(join(root, 'own/bin/python'), '2024.12.1')
  const { said, ...other } = program(root, { nodes: 2 })
  await other.python.warn()
  expect(said).toEqual([])
  await other.python.warnAtFailure()
  expect(said).toEqual([
    `the client program runs Dask 2024.12.1 (Python 3.11.2) of ${own}, the cluster Dask 2022.12.1 (Python 3.11.2) on other hosts: ${advice}`,
  ])
})

test('nothing is said of a program that fails in the Python of the cluster, or that is no Python program', async () => {
  const root = temporaryDirectory()
  python(join(root, 'own/bin/python'), '2022.12.1')
  const all = [program(root), program(root, { nodes: 2 }), program(root, { command: ['/bin/false'] })]
  for (const each of all) {
    await each.python.warn()
    await each.python.warnAtFailure()
    expect(each.said).toEqual([])
  }
})

import { chmod, chown, mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import { keepFiles, keptDirectories, removeKept } from '../../src/security/kept-files.ts'
import { Authority } from '../support/certificates.ts'
import { Cluster } from '../support/cluster.ts'
import { stranger, test, user } from '../support/second-user.ts'
import { speakDask, startFakeScheduler, startPeer } from '../dask/support/peer.ts'

const id = 'Scheduler-1'
const identity = { type: 'Scheduler', id, address: 'tcp://h:1', started: 1, workers: {} }

/** Dask's own scheduler file, at a path that a shell could take for a command. */
async function plainFile(cluster: Cluster, name = `it's $(touch x)\`touch y\`.json`): Promise<[string, string]> {
  const peer = await startFakeScheduler(({ op }) => (op === 'identity' ? identity : {}))
  const address = `tcp://${peer.place}`
  const path = cluster.path(name)
  await writeFile(path, JSON.stringify({ ...identity, address, services: {} }), { mode: 0o600 })
  cluster.expectFile(name)
  return [path, address]
}

/** The lines for a variable, here and in containers. */
function exported(name: string, word: string): string {
  return ['', 'APPTAINERENV_', 'SINGULARITYENV_'].map((prefix) => `export ${prefix}${name}=${word}\n`).join('')
}

test('env leads to a plain Dask, and says where Dask would refuse it', async () => {
  await using cluster = await Cluster.make()
  const [path, address] = await plainFile(cluster)
  const lines =
    exported('DASK_SCHEDULER_ADDRESS', `'${address}'`) +
    exported('DASK_HPC_RUNNER_SCHEDULER_FILE', `'${path.replace("'", `'\\''`)}'`)
  const plain = cluster.run(['env', '--scheduler-file', path])
  await plain.expectStatus(0)
  expect([plain.stdout, plain.stderr]).toEqual([lines, ''])
  const { caFile, cert } = { caFile: '/old/ca.pem', cert: '/old/cert.pem' }
  const after = cluster.run(['env', '--scheduler-file', path], {
    DASK_DISTRIBUTED__COMM__TLS__CA_FILE: caFile,
    DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT: cert,
    DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION: 'True',
  })
  await after.expectStatus(0)
  expect(after.stdout).toBe(lines)
  expect(after.stderr).toMatch(/^dask-hpc-runner: warning: .* and this cluster has none: unset that variable\n$/)
  await cluster.expectNothingLeft()
})

test("env leads to a cluster of one's own certificates where it is told of them, and says so where it is not", async () => {
  await using cluster = await Cluster.make()
  const { caFile, cert, key } = new Authority(join(cluster.directory, "it's certificates")).sign('mine')
  const [ca, certText, keyText] = await Promise.all([caFile, cert, key].map(async (path) => await readFile(path)))
  const talk = (socket: Socket): void => {
    speakDask(socket, (_, send) => {
      send(identity)
    })
  }
  const tls = { ca, cert: certText, key: keyText, requestCert: true, rejectUnauthorized: true }
  const address = `tls://${(await startPeer(talk, { tls })).place}`
  await writeFile(cluster.path('F.json'), JSON.stringify({ ...identity, address, services: {} }), { mode: 0o600 })
  cluster.expectFile('F.json')
  const call = ['env', '--scheduler-file', cluster.path('F.json')]
  const without = cluster.run(call)
  await without.expectStatus(78)
  expect(without.stdout).toBe('')
  expect(without.stderr).toContain('TLS needs a certificate; name --tls-ca-file, --tls-cert and --tls-key')
  const given = cluster.run([...call, '--tls-ca-file', caFile, '--tls-cert', cert, '--tls-key', key])
  await given.expectStatus(0)
  expect(given.stderr).toBe('')
  const show =
    'eval "$1"; printf "%s\\n" "$DASK_SCHEDULER_ADDRESS" "$DASK_DISTRIBUTED__COMM__TLS__CA_FILE" "$DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY"'
  const shell = cluster.start(['/bin/sh', '-c', show, 'sh', given.stdout])
  await shell.expectStatus(0)
  expect(shell.stdout).toBe(`${address}\n${caFile}\n${key}\n`)
  await cluster.expectNothingLeft()
})

test('env gives somebody else nothing, whether he can read the scheduler file or not', async () => {
  await using cluster = await Cluster.make({ user: stranger })
  for (const [name, mode] of [
    ['closed.json', 0o600],
    ['open.json', 0o644],
  ] as const) {
    const path = cluster.path(name)
    await writeFile(path, JSON.stringify({ ...identity, address: 'tcp://127.0.0.1:1', services: {} }), { mode })
    await chown(path, user.uid, user.gid)
    cluster.expectFile(name)
    const run = cluster.run(['env', '--scheduler-file', path])
    await run.expectStatus(69)
    expect(run.stdout).toBe('')
    expect(run.stderr).toMatch(
      mode === 0o600 ? /not permitted|permission/i : /it belongs to .* copy it and name the copy/,
    )
  }
  await cluster.expectNothingLeft()
})

test('certificates are not kept in a directory that somebody else has made, or can enter', async () => {
  await using cluster = await Cluster.make()
  vi.stubEnv('XDG_RUNTIME_DIR', undefined)
  onTestFinished(() => void vi.unstubAllEnvs())
  const { caFile, cert, key } = new Authority(join(cluster.directory, 'certificates')).sign('mine')
  const schedulerFile = cluster.path('F.json')
  const [directory = ''] = await keptDirectories(schedulerFile)
  await mkdir(directory, { mode: 0o777 })
  onTestFinished(async () => rmdir(directory).catch(() => undefined))
  await chown(directory, stranger.uid, stranger.gid)
  const keep = async (): Promise<unknown> => await keepFiles({ caFile, cert, key }, schedulerFile)
  await expect(keep()).rejects.toThrow(
    `Cannot keep the certificates of the run in "${directory}": it belongs to the user with number ${stranger.uid} (mode 0755); name another directory in XDG_RUNTIME_DIR`,
  )
  expect(await readdir(directory)).toEqual([])
  expect(await removeKept(schedulerFile)).toEqual([])
  await chown(directory, 0, 0)
  await chmod(directory, 0o777)
  await expect(keep()).rejects.toThrow('its mode is 0777 and not 0700, so that others can use it')
  await chmod(directory, 0o700)
  await keep()
  expect(await removeKept(schedulerFile)).toEqual([directory])
})

test('env --remove and env spare what they have not written, whatever its name is', async () => {
  await using cluster = await Cluster.make()
  vi.stubEnv('XDG_RUNTIME_DIR', join(cluster.directory, 'tmp'))
  onTestFinished(() => void vi.unstubAllEnvs())
  await chmod(join(cluster.directory, 'tmp'), 0o700)
  const [first, second] = ['first', 'second'].map((name) => new Authority(join(cluster.directory, name)).sign('mine'))
  if (first === undefined || second === undefined) throw new Error('there are two')
  const keep = async (name: string, files = first): Promise<unknown> => await keepFiles(files, cluster.path(name))
  const [directory = ''] = await keptDirectories(cluster.path('F.json'))
  // A directory of his own, which a stranger has given that name.
  const own = ['ca.pem', 'cert.pem', 'key.pem', 'thesis']
  await mkdir(directory, { mode: 0o700 })
  for (const name of own) await writeFile(join(directory, name), 'mine')
  await expect(keep('F.json')).rejects.toThrow(/"\S+" is in it, which this program has not made; name/)
  expect(await removeKept(cluster.path('F.json'))).toEqual([])
  // And one with certificates for another scheduler file.
  await keep('G.json')
  const [other = ''] = await keptDirectories(cluster.path('G.json'))
  await rename(directory, `${directory}-mine`)
  await rename(other, directory)
  await expect(keep('F.json')).rejects.toThrow('which this program has not made')
  expect(await removeKept(cluster.path('F.json'))).toEqual([])
  await rename(directory, other)
  expect(await removeKept(cluster.path('G.json'))).toEqual([other])
  for (const name of own) expect(await readFile(join(`${directory}-mine`, name), 'utf8')).toBe('mine')
  // Those of a later run take their place; what somebody has put between them stays.
  await keep('F.json')
  await keep('F.json', second)
  expect(await readFile(join(directory, 'key.pem'))).toEqual(await readFile(second.key))
  await writeFile(join(directory, 'cert.pem'), 'mine')
  await expect(keep('F.json')).rejects.toThrow('"cert.pem" is in it, which this program has not made')
  expect(await removeKept(cluster.path('F.json'))).toEqual([])
  expect(await readFile(join(directory, 'cert.pem'), 'utf8')).toBe('mine')
  await rm(join(directory, 'cert.pem'))
  expect(await removeKept(cluster.path('F.json'))).toEqual([directory])
  await rm(`${directory}-mine`, { recursive: true })
  await cluster.expectNothingLeft()
})

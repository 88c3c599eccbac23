import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DaskProcess, type StartExtras } from '../../src/python/dask-process.ts'
import { newReaper } from '../process/support/processes.ts'

const fake = join(import.meta.dirname, '../../fixtures/programs/fake-distributed')
const quiet = { PYTHONDONTWRITEBYTECODE: '1' }

/** A scheduler whose import of Dask takes until it is let go. */
async function held(args: readonly string[], { env = {}, values = [] }: Held = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'port-'))
  const file = join(directory, 'held')
  await writeFile(file, '')
  const dask = DaskProcess.start({
    python: 'python3',
    component: 'scheduler',
    name: 'scheduler',
    env: { PATH: process.env.PATH, HOME: directory, PYTHONPATH: fake, ...quiet, FAKE_DASK_HELD: file, ...env },
    reaper: newReaper(),
    onLines: () => undefined,
    log: ['warning', false],
  })
  dask.begin(args, { environment: {}, resources: {}, values })
  onTestFinished(async () => {
    dask.kill()
    await dask.exited
    await rm(directory, { recursive: true })
  })
  const letGo = async (): Promise<string[]> => {
    await rm(file)
    return (await dask.started).identity.arguments as string[]
  }
  return { dask, letGo }
}

interface Held {
  readonly env?: NodeJS.ProcessEnv
  readonly values?: NonNullable<StartExtras['values']>
}

/** Binds and listens. Gives the error's name. */
function listen(host: string, port: number, reuse: boolean): string {
  const program = `import errno, socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, ${Number(reuse)})
try:
    s.bind((sys.argv[1], int(sys.argv[2])))
    s.listen()
    print("listens")
except OSError as error:
    print(errno.errorcode[error.errno])`
  return execFileSync('python3', ['-c', program, host, String(port)], { encoding: 'utf8' }).trim()
}

const place = (host: string, port = 0, ...more: string[]): string[] => ['--host', host, '--port', `${port}`, ...more]

describe('the port of a scheduler', { timeout: 60_000 }, () => {
  it.each(['127.0.0.1', '[::1]'])('of %s is known while Dask is imported, and nobody else gets it', async (host) => {
    const { dask, letGo } = await held(place(host))
    const { address, connect: isSet } = await dask.bound
    expect(isSet).toBe(false)
    const port = Number(/:([1-9]\d*)$/.exec(address)?.[1])
    expect(address).toBe(`tcp://${host}:${port}`)
    const bare = host.replace(/[[\]]/g, '')
    for (const reuse of [false, true]) expect(listen(bare, port, reuse)).toBe('EADDRINUSE')
    // A client waits there until Dask takes it over, which a fake one does not do.
    const client = connect(port, bare)
    await once(client, 'connect')
    const closed = new Promise((resolve) => client.on('error', () => undefined).once('close', resolve))
    expect(await letGo()).toEqual(place(host, port))
    await closed
  })

  it('is the one that was wanted, for the name and the protocol that were', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    await new Promise((closed) => server.close(closed))
    const args = place('localhost', port, '--protocol', 'tls')
    const { dask } = await held(args, { values: [['protocol', '--protocol', 'tls']] })
    expect((await dask.bound).address).toBe(`tls://127.0.0.1:${port}`)
  })

  it.each([
    ['of every interface', place('0.0.0.0'), {}],
    ['of a host that Dask chooses', ['--port', '0'], {}],
    ['of another protocol', place('127.0.0.1'), { values: [['protocol', '--protocol', 'ws']] }],
    ['of a scheduler with a value that Dask judges', place('127.0.0.1'), { values: [['preload', '--preload', 'x']] }],
    [
      'in a configuration with another scheme',
      place('127.0.0.1'),
      { env: { DASK_DISTRIBUTED__COMM__DEFAULT_SCHEME: 'tls' } },
    ],
    [
      'with a contact address',
      place('127.0.0.1'),
      { env: { DASK_DISTRIBUTED__SCHEDULER__CONTACT_ADDRESS: 'tcp://h:1' } },
    ],
  ] as const)('%s is not told before it listens', async (_, args, more) => {
    const { dask, letGo } = await held(args, more)
    let isBound = false
    void dask.bound.then(() => (isBound = true))
    // A value is refused by a Dask that is none.
    await letGo().catch(() => undefined)
    expect(isBound).toBe(false)
  })

  it.each([
    ['distributed:\n  comm:\n    timeouts:\n      connect: 7s # often', true],
    ['distributed: {comm: {timeouts: {connect: "7s"}}, dashboard: {link: "/proxy/{port}"}}', true],
    [
      'distributed:\n  comm:\n#    timeouts:\n#      connect: 30s\n    tls:\n  scheduler:\n    contact-address: null',
      false,
    ],
  ])('comes with whether the user has said how long Dask may connect: %j', async (text, connect) => {
    const directory = await mkdtemp(join(tmpdir(), 'dask-'))
    onTestFinished(async () => rm(directory, { recursive: true }))
    await mkdir(join(directory, 'conf'))
    await writeFile(join(directory, 'conf/mine.yaml'), text)
    const { dask } = await held(place('127.0.0.1'), { env: { DASK_CONFIG: join(directory, 'conf') } })
    expect((await dask.bound).connect).toBe(connect)
  })

  it.each([
    [{ DASK_DISTRIBUTED__DASHBOARD__LINK: '/proxy/{port}/status' }, true],
    [{}, false],
  ])('comes with whether the user has said what links to the dashboard: %j', async (env, link) => {
    const { dask } = await held(place('127.0.0.1'), { env })
    expect(await dask.bound).toMatchObject({ link, connect: false })
  })
})

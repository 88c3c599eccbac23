import { copyFile } from 'node:fs/promises'
import { afterAll, beforeAll } from 'vitest'
import { Client } from '../../src/client/client.ts'
import type { ConnectOptions } from '../../src/client/connect.ts'
import { Cluster, python, type Started } from './cluster.ts'
import { published } from './dask.ts'
import { patient } from './until.ts'

/** A cluster of real processes, and a client in the test's own process. */
export class ClientCluster implements AsyncDisposable {
  readonly cluster: Cluster
  readonly run: Started
  readonly client: Client

  private constructor(cluster: Cluster, run: Started, client: Client) {
    this.cluster = cluster
    this.run = run
    this.client = client
  }

  /** Starts a run of a scheduler and `workers` workers of one thread, and waits for them. */
  static async start(workers: number, ...args: string[]): Promise<ClientCluster> {
    return await ClientCluster.startWith({}, workers, ...args)
  }

  /** The same with these variables in the environment of its processes. */
  static async startWith(env: NodeJS.ProcessEnv, workers: number, ...args: string[]): Promise<ClientCluster> {
    const cluster = await Cluster.make()
    const file = cluster.path('s.json')
    // A run of one process has its scheduler and its worker in that.
    const size = String(workers === 1 ? 1 : workers + 1)
    const run = cluster.run(['local', '-n', size, '--scheduler-file', file, '--nthreads', '1', ...args], env)
    await published(file, run)
    const options = { ...connectOptions(cluster), ...(await otherPython(cluster, args)) }
    const client = await Client.connect({ schedulerFile: file }, options)
    await client.waitForWorkers(workers, { timeout: patient })
    return new ClientCluster(cluster, run, client)
  }

  /** Another client of the same cluster. */
  async connect(options: ConnectOptions = {}): Promise<Client> {
    return await Client.connect(this.client.schedulerAddress, { ...connectOptions(this.cluster), ...options })
  }

  /** The process of the client's Python. */
  async helper(): Promise<number> {
    return await this.cluster.expectProcess('dask-hpc-runner client')
  }

  /** Ends the run and checks that nothing is left. */
  async end(): Promise<void> {
    await this.client.close()
    this.run.signal('SIGTERM')
    await this.run.ended
    await this.cluster.expectNothingLeft()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close()
    await this.cluster[Symbol.asyncDispose]()
  }
}

function connectOptions(cluster: Cluster): ConnectOptions {
  return { env: cluster.env, python, timeout: patient }
}

/** The Python that the run is told to take, for its client too. The one of Debian 13 sees no other programs in /usr. */
async function otherPython(cluster: Cluster, args: readonly string[]): Promise<ConnectOptions> {
  const python = args[args.indexOf('--python') + 1]
  if (!args.includes('--python') || python === undefined) return {}
  if (!process.execPath.startsWith('/usr/')) return { python }
  const node = cluster.path('node')
  cluster.expectFile('node')
  await copyFile(process.execPath, node)
  return { python, node }
}

/** One cluster for all tests of a file; after them nothing may be left. */
export function sharedClient(workers: number, ...args: string[]): () => ClientCluster {
  let shared: ClientCluster | undefined
  beforeAll(async () => {
    shared = await ClientCluster.start(workers, ...args)
  })
  afterAll(async () => {
    if (shared === undefined) return
    await using ending = shared
    await ending.end()
  })
  return () => {
    if (shared === undefined) throw new Error('The cluster has not started')
    return shared
  }
}

import { createServer } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Logger } from '../../../../src/logger.ts'
import type { OutcomeRecord } from '../../../../src/record/outcome-record.ts'
import type { Owner } from '../../../../src/record/cluster-record.ts'
import type { PublishedFile } from '../../../../src/record/scheduler-file.ts'
import { FileStore, type FileStoreOptions } from '../../../../src/rendezvous/file/file-store.ts'

/** A logger that keeps what it is told. */
export function notes(): Logger & { readonly lines: string[] } {
  const lines: string[] = []
  const take = (message: string): void => void lines.push(message)
  return { lines, speaks: true, detail: take, info: take, warn: take, error: take }
}

/** The owner record of a made-up run. */
export function ownerOf(runKey: string, changes: Partial<Owner> = {}): Owner {
  return {
    version: 1,
    run_key: runKey,
    nonce: `nonce-of-${runKey}`,
    host: 'node0',
    pid: 4711,
    control: { addresses: ['127.0.0.1'], port: 1, network: 'n' },
    ...changes,
  }
}

/** What rank 0 of that run publishes. */
export function fileOf(owner: Owner, address = 'tcp://127.0.0.1:8786'): PublishedFile {
  return {
    type: 'Scheduler',
    id: `Scheduler-${owner.nonce}`,
    address,
    services: { dashboard: 8787 },
    workers: {},
    dask_hpc_runner: { ...owner, secret: 's', n_workers: 2 },
  }
}

/** A failure as rank 0 of that run tells it. */
export function failureOf(runKey: string, message = 'no python3 has distributed'): OutcomeRecord {
  return {
    version: 1,
    run_key: runKey,
    failure: { status: 69, message, rank: 0, host: 'node0', last_lines: ['ModuleNotFoundError'] },
  }
}

/** A store of run `runKey`; unless told otherwise, everybody else is gone. */
export function storeOf(schedulerFile: string, runKey: string, changes: Partial<FileStoreOptions> = {}): FileStore {
  return new FileStore({
    schedulerFile,
    runKey,
    size: 4,
    nodes: 4,
    me: { rank: 0, node: 'node0' },
    watch: 'poll',
    pollInterval: 20,
    metadataBudget: 200,
    filesystemTimeout: 25_000,
    isFar: false,
    keeper: undefined,
    relay: undefined,
    isOver: () => false,
    logger: notes(),
    ask: () => Promise.resolve('gone'),
    verifyScheduler: () => Promise.resolve('refuses'),
    ...changes,
  })
}

/** A port of this host where something listens, or where nothing does. */
export async function portThat(answers: boolean): Promise<number> {
  const server = createServer((socket) => socket.destroy())
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
  if (answers) onTestFinished(() => void server.close())
  else await new Promise((resolve) => server.close(resolve))
  return port
}

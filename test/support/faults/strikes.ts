import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { controllerName } from '../slurm/slurm-cluster.ts'
import type { Strike } from './cell.ts'
import type { FaultRun } from './fault-run.ts'
import { bystander } from './launch.ts'
import type { Limits } from './limits.ts'

/** What a strike has done. */
export interface Struck {
  /** Processes that it has stopped. */
  readonly stopped: ReadonlySet<number>
  /** A host all of whose processes of the run wait for a supervisor that is stopped. */
  readonly held?: string
  /** A host whose processes do not count until it is mended. */
  readonly silent?: string
  /** That host has lost its files, too. */
  readonly lost?: boolean
  /** Resolves when the strike, if it is one that passes, is over. */
  readonly over: Promise<void>
  /** Makes good what the strike has done to hosts: those that were killed are there again. May be called twice. */
  readonly mend: () => Promise<void>
}

const nothing: Struck = { stopped: new Set(), over: Promise.resolve(), mend: () => Promise.resolve() }

/** Does it. */
export async function strike(what: Strike, run: FaultRun, { lostAfter }: Limits): Promise<Struck> {
  const { slurm } = run
  switch (what.kind) {
    case 'none':
    case 'new run':
      return nothing
    case 'release':
      await run.release(what.file)
      return nothing
    case 'take port':
      await takePort(run, what.reuse)
      return nothing
    case 'signal': {
      const found = await run.find(what.actor, what.rank)
      for (const { pid } of found) process.kill(pid, what.signal)
      if (what.signal !== 'SIGSTOP') return nothing
      const stopped = new Set(found.map(({ pid }) => pid))
      return what.actor === 'supervisor'
        ? { ...nothing, stopped, held: run.hostOf(what.rank) }
        : { ...nothing, stopped }
    }
    case 'kill host': {
      const host = run.hostOf(what.rank)
      await slurm.killHost(host)
      return { ...nothing, silent: host, lost: true, mend: once(() => slurm.reviveHost(host)) }
    }
    case 'freeze host': {
      const host = run.hostOf(what.rank)
      await slurm.freezeHost(host)
      return { ...nothing, silent: host, mend: once(() => slurm.thawHost(host)) }
    }
    case 'cut link': {
      const host = run.hostOf(what.rank)
      await slurm.cutLink(host)
      return { ...nothing, mend: once(() => slurm.mendLink(host)) }
    }
    case 'cut link for a while': {
      const host = run.hostOf(what.rank)
      await slurm.cutLink(host)
      return { ...nothing, over: sleep(what.times * lostAfter * 1000).then(() => slurm.mendLink(host)) }
    }
    case 'suspend job': {
      const job = (await run.jobId()) ?? ''
      await slurm.on(controllerName, ['scontrol', 'suspend', job])
      const resume = async (): Promise<void> => {
        await slurm.on(controllerName, ['scontrol', 'resume', job])
      }
      return { ...nothing, over: sleep(what.times * lostAfter * 1000).then(resume) }
    }
  }
}

/** Tries to listen where the scheduler will. @throws Error if it can. */
async function takePort(run: FaultRun, reuse: boolean): Promise<void> {
  const { hostname, port } = new URL(await readFile(run.path('connecting'), 'utf8'))
  const text = `import errno, socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, ${Number(reuse)})
try:
    s.bind(("${hostname}", ${port}))
    s.listen()
    print("listens")
except OSError as error:
    print(errno.errorcode[error.errno])`
  await bystander(run, 0, ['python3', '-c', text], /EADDRINUSE/)
}

function once(what: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return async () => await (done ??= what())
}

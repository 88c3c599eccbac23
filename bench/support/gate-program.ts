// Waits at a gate as a process of a run does, and says when it has opened, in milliseconds of the wall
// clock; it stays until it is killed: gate-program SCHEDULER_FILE RANK SIZE WATCH.
import { writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { WatchMode } from '../../src/options.ts'
import { FileStore } from '../../src/rendezvous/file/file-store.ts'

const [schedulerFile = '', rank, size, watch] = process.argv.slice(-4)
const quiet = (): void => undefined
const store = new FileStore({
  schedulerFile,
  runKey: 'bench',
  size: Number(size),
  nodes: 1,
  me: { rank: Number(rank), node: 'node0' },
  watch: watch as WatchMode,
  pollInterval: undefined,
  relay: {
    parent: dirname(schedulerFile),
    isRelay: rank === '1',
    reaper: { expectDirectory: quiet, addDirectory: quiet },
  },
  metadataBudget: 200,
  ...{ isFar: false, keeper: undefined, filesystemTimeout: 25_000, isOver: () => false },
  logger: { speaks: true, detail: quiet, info: quiet, warn: quiet, error: quiet },
  ask: () => Promise.resolve('gone'),
  verifyScheduler: () => Promise.resolve('refuses'),
})
void store
  .prepare()
  .then(async () => await store.lookUp({ timeout: 60_000 }))
  .then(() => {
    const opened = Date.now()
    writeSync(1, `${opened}\n`)
    // A process of a run has more to do than to end, which would take the CPUs from the others.
    setInterval(() => undefined, 1e6)
  })

import { describe, expect, it } from 'vitest'
import { startFakeScheduler } from '../dask/support/peer.ts'
import { Cluster, program } from '../support/cluster.ts'

/** Runs the built program with its output `into` a file or descriptor of bash, and checks its exit status. */
async function run(
  status: number,
  args: string,
  { before = 'true', into }: { readonly before?: string; readonly into: string },
) {
  await using cluster = await Cluster.make()
  cluster.expectFile('output')
  const started = cluster.start(['bash', '-c', `${before}; exec '${process.execPath}' '${program}' ${args} >${into}`])
  await started.expectStatus(status)
  await cluster.expectNothingLeft()
  return started.stderr
}

/** The reader of a pipe has gone before anything is written. */
const gone = { before: 'exec 3> >(exec true); wait $!', into: '&3' }
const full = { into: '/dev/full' }
const nothingListens = 'tcp://127.0.0.1:1'

/** A scheduler with these workers. */
async function scheduler(workers: object = {}): Promise<string> {
  const peer = await startFakeScheduler(({ op }) => {
    if (op === 'identity')
      return { type: 'Scheduler', id: 'S-1', address: 'tcp://10.0.0.1:1', started: 1_700_000_000, workers }
    return op === 'versions' ? { host: {}, packages: {} } : null
  })
  return `tcp://${peer.place}`
}

describe('output that cannot be written', () => {
  it.each([
    ['plan -n 4', 'nothing'],
    [`stop --scheduler ${nothingListens}`, 'nothing'],
    ['doctor', 'nothing'],
    ['status', 'a scheduler'],
    ['status --json', 'a scheduler'],
    ['status --follow', 'a scheduler'],
  ])('ends %s with 74, and is named', async (command, needs) => {
    const at = needs === 'nothing' ? '' : ` --scheduler ${await scheduler()}`
    const stderr = await run(74, `${command}${at}`, full)
    expect(stderr).toMatch(/^dask-hpc-runner: error: Cannot write to standard output: ENOSPC.*\n$/m)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  it('is noticed where a part of it had room', async () => {
    const stderr = await run(74, 'plan -n 1000', { before: 'ulimit -f 1', into: 'output' })
    expect(stderr).toMatch(/Cannot write to standard output: EFBIG/)
  })
})

describe('a reader that has gone', () => {
  it.each([
    ['plan -n 4', 0],
    [`stop --scheduler ${nothingListens}`, 0],
    ['doctor --python /nowhere/python', 78],
  ])('changes nothing for %s, which says nothing of it', async (command, status) => {
    expect(await run(status, command, gone)).toBe('')
  })

  it.each(['status', 'status --json', 'status --follow'])('is no error of %s', async (command) => {
    expect(await run(0, `${command} --scheduler ${await scheduler()}`, gone)).toBe('')
  })
})

describe('a reader that reads no further', () => {
  it.each(['plan -n 100000', 'status'])('keeps no signal from ending %s', async (command) => {
    await using cluster = await Cluster.make()
    cluster.expectFile('begun')
    const worker = { id: 1, host: 'h'.repeat(200), nthreads: 1, memory_limit: 0, status: 'running' }
    const workers = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`tcp://h:${i}`, worker]))
    const at = command === 'status' ? `--json --scheduler ${await scheduler(workers)}` : ''
    const script = `exec 3> >(head -c 1 >begun; exec sleep 300); reader=$!
      '${process.execPath}' '${program}' ${command} ${at} >&3 & command=$!
      until [ -s begun ]; do sleep 0.1; done
      kill -TERM $command; wait $command; status=$?; kill $reader; exit $status`
    await cluster.start(['bash', '-c', script]).expectStatus(143)
    await cluster.expectNothingLeft()
  })
})

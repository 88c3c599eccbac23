import { expect, test } from 'vitest'
import { type Call, startFakeScheduler } from '../dask/support/peer.ts'
import { Cluster } from '../support/cluster.ts'

const evil = 'a\u001b[2J\u009b\nb'
const tamed = 'a\\u001b[2J\\u009b\\u000ab'
const worker = { id: evil, host: evil, nthreads: 1, memory_limit: 0, status: evil }
const identity = { type: 'Scheduler', id: evil, address: evil, started: 1_700_000_000, workers: { [evil]: worker } }

/** Runs a command at a scheduler that gives these answers, checks its status, and that it prints no control character. */
async function run(status: number, args: readonly string[], answers: (call: Call) => unknown) {
  await using cluster = await Cluster.make()
  const peer = await startFakeScheduler(answers)
  // Those that are answered end at once; a wait takes its time.
  const time = args[0] === 'wait' ? '8s' : '60s'
  const started = cluster.run([...args, '--scheduler', `tcp://${peer.place}`, '--timeout', time])
  await started.expectStatus(status)
  await cluster.expectNothingLeft()
  const { stdout, stderr } = started
  expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]/u)
  return { stdout, stderr }
}

const answerAll = ({ op }: Call): unknown => {
  if (op === 'identity') return identity
  return op === 'versions' ? { host: { python: evil }, packages: { distributed: evil } } : {}
}

test('what a scheduler says is printed without its control characters: status', async () => {
  const { stdout } = await run(0, ['status'], answerAll)
  expect(stdout).toContain(`Dask ${tamed}, Python ${tamed}`)
  expect(stdout).toMatch(/^a\\u001b\[2J\\u009b\\u000ab {2}a\\u001b\[2J\\u009b\\u000ab {2}/m)
})

test('the same: wait, which names the workers that are there', async () => {
  const { stderr } = await run(75, ['wait', '--workers', '2'], answerAll)
  expect(stderr).toContain(`there is ${tamed} on ${tamed} (${tamed})\n`)
})

test.for(['status', 'wait', 'stop'])(
  'the same: %s, of an exception and of an answer of another form',
  async (command) => {
    const status = command === 'wait' ? 75 : 69
    const raised = await run(status, [command], () => ({ status: 'uncaught-error', exception_text: evil }))
    expect(raised.stderr).toContain(`it answers ${tamed}\n`)
    const formless = await run(status, [command], () => ({ ...identity, workers: { [evil]: 7 } }))
    expect(formless.stderr).toContain(`its "workers.${tamed}" has another form`)
  },
)

const scheduler = 'tcp://10.0.0.1:1'
test.for([
  [
    { type: 'Worker', scheduler, nthreads: 1 },
    `a Dask worker answers there, not a scheduler; its scheduler is at ${scheduler}`,
  ],
  [
    { type: 'MyWorker', scheduler: evil, nthreads: 1 },
    `a Dask worker answers there, not a scheduler; its scheduler is at ${tamed}`,
  ],
  [{ type: 'Nanny' }, 'a Dask nanny answers there, not a scheduler'],
] as const)('who says %j is no scheduler', async ([who, words]) => {
  for (const [command, status] of [
    ['status', 69],
    ['wait', 75],
    ['stop', 69],
  ] as const) {
    const { stderr } = await run(status, [command], () => ({ id: 'x', ...who }))
    expect(stderr).toContain(`: ${words}\n`)
  }
})

test("Python's web server is known for one, at once", async () => {
  await using cluster = await Cluster.make()
  const server = cluster.start(['python3', '-u', '-m', 'http.server', '0', '--bind', '127.0.0.1'])
  await server.expectOutput(/ port \d+ /)
  const address = `tcp://127.0.0.1:${/ port (\d+) /.exec(server.stdout)?.[1] ?? ''}`
  const status = cluster.run(['status', '--scheduler', address, '--timeout', '1h'])
  await status.expectStatus(69)
  expect(status.stderr).toContain('a web server answers there; Dask has another port for its scheduler')
  server.signal('SIGKILL')
  await server.ended
  await cluster.expectNothingLeft()
})

test('--json is exact', async () => {
  await using cluster = await Cluster.make()
  const peer = await startFakeScheduler(answerAll)
  const started = cluster.run(['status', '--json', '--scheduler', `tcp://${peer.place}`])
  await started.expectStatus(0)
  // eslint-disable-next-line no-control-regex -- these must not be there
  expect(started.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  const { scheduler, workers } = JSON.parse(started.stdout) as { scheduler: object; workers: object[] }
  expect(scheduler).toMatchObject({ id: evil, address: evil, distributed: evil, python: evil })
  expect(workers).toMatchObject([{ name: evil, host: evil, state: evil, address: evil }])
})

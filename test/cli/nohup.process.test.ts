import { expect, it } from 'vitest'
import { Cluster, program } from '../support/cluster.ts'
import { commandLine, kill, text } from '../support/processes.ts'
import { until } from '../support/until.ts'

/** The bits of HUP and TERM in a mask of signals. */
const [hangup, term] = [1n, 1n << 14n]

function mask(pid: number, name: string): bigint {
  return BigInt(`0x${new RegExp(`^${name}:\t(.*)$`, 'm').exec(text(pid, 'status'))?.[1] ?? '0'}`)
}

/** The process of the program, once it handles both. */
function handling(cluster: Cluster): number | undefined {
  return cluster
    .processes()
    .find((pid) => commandLine(pid)[0] === process.execPath && (~mask(pid, 'SigCgt') & (hangup | term)) === 0n)
}

it.each([
  ['ends the program', '"$@"; exit', 129],
  ['does not end it under nohup', 'nohup "$@"; exit', 143],
  ['does not end it in a script that ignores HUP', 'trap "" HUP; "$@"; exit', 143],
])('HUP %s', async (_, script, status) => {
  await using cluster = await Cluster.make()
  const missing = `${cluster.directory}/none.json`
  const command = [process.execPath, program, 'wait', '--scheduler-file', missing, '--timeout', '10m']
  const run = cluster.start(['bash', '-c', script, 'bash', ...command])
  const say = (): string => run.output
  const pid = (await until(() => handling(cluster), Boolean, { what: 'the program handles both', say })) ?? -1
  kill(pid, 'SIGHUP')
  const pending = (): bigint => mask(pid, 'ShdPnd') & hangup
  await until(pending, (bits) => bits === 0n, { what: 'HUP has come', say })
  kill(pid, 'SIGTERM')
  expect((await run.ended).status, run.output).toBe(status)
  await cluster.expectNothingLeft()
})

import { EventEmitter } from 'node:events'
import { expect, it, onTestFinished } from 'vitest'
import { Child } from '../../src/process/child.ts'
import { followTerminal } from '../../src/process/follow-terminal.ts'
import { text } from '../support/processes.ts'
import { eventually, newReaper } from './support/processes.ts'

function follow(script: string) {
  const lines: string[] = []
  const output = (more: readonly string[]) => void lines.push(...more)
  const child = new Child({ command: ['/bin/sh', '-c', script], env: process.env, output, reaper: newReaper() })
  const source = new EventEmitter()
  /** The states of the child in which we were stopped. */
  const stops: string[] = []
  const state = (): string => /^State:\t(.)/m.exec(text(child.pid ?? -1, 'status'))?.[1] ?? ''
  followTerminal(child, source, () => {
    expect(source.listenerCount('SIGTSTP')).toBe(0)
    stops.push(state())
  })
  onTestFinished(async () => {
    child.kill()
    await child.exited
  })
  return { child, source, stops, lines, state }
}

it('stops the child before us, and has it go on with us', async () => {
  const { child, source, stops, lines, state } = follow(
    'trap "echo stopped" TSTP; echo ready; while :; do sleep 0.1; done',
  )
  await eventually(() => lines, ['ready'], 'the child runs')
  for (const before of [[], ['T']]) {
    expect(stops).toEqual(before)
    source.emit('SIGTSTP')
    await eventually(() => source.listenerCount('SIGTSTP'), 1, 'we go on')
    await eventually(() => 'RS'.includes(state()), true, 'the child goes on')
  }
  expect(stops).toEqual(['T', 'T'])
  expect(lines).toEqual(['ready'])
  child.kill()
  await child.exited
  await eventually(() => source.eventNames(), [], 'nothing is listened to any more')
})

it('tells the child of another size of the window', async () => {
  const { source, lines } = follow('trap "echo resized" WINCH; echo ready; while :; do sleep 0.1; done')
  await eventually(() => lines, ['ready'], 'the child runs')
  source.emit('SIGWINCH')
  await eventually(() => lines, ['ready', 'resized'], 'the child is told')
})

import { describe, expect, it } from 'vitest'
import { type Exit, formatExit, shellStatus, signalStatus } from '../../src/process/exit.ts'

const ended: Exit = { status: 3, signal: null, forced: false }
const killed: Exit = { status: null, signal: 'SIGKILL', forced: true }

describe('shellStatus', () => {
  it('is the status as a shell has it', () => {
    expect(shellStatus(ended)).toBe(3)
    expect(shellStatus({ ...ended, status: 0 })).toBe(0)
    expect(shellStatus(killed)).toBe(137)
    expect(signalStatus('SIGTERM')).toBe(143)
    expect(signalStatus('SIGINT')).toBe(130)
  })
})

describe('sayExit', () => {
  it('says what happened, and whether it was forced', () => {
    expect(formatExit(ended)).toBe('exited with status 3')
    expect(formatExit({ ...killed, forced: false })).toBe('was killed by SIGKILL')
    expect(formatExit(killed)).toBe('was killed by SIGKILL (it had not ended in time)')
  })
})

import type { OwnCommand } from '../util/own-commands.ts'
import { endAfter } from './end-after.ts'

/** Runs a command that only this program itself starts. There is nothing to parse, and what parses is not loaded. */
export async function runOwnCommand(command: OwnCommand): Promise<void> {
  await endAfter(commands[command])
}

const commands: Readonly<Record<OwnCommand, () => Promise<unknown>>> = {
  member: async () => {
    await (await import('./member.ts')).runMember()
  },
  'mpi-helper': async () => await (await import('../runners/mpi/library/serve.ts')).serveMpi(),
  'log-writer': async () => {
    await (await import('../run/log-program.ts')).keepLogs()
  },
  heartbeat: async () => {
    await (await import('../run/heartbeat-program.ts')).runHeartbeatThread()
  },
  examine: async () => await (await import('./doctor.ts')).runExaminer(),
}

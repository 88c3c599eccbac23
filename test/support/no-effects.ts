import childProcess from 'node:child_process'
import dgram from 'node:dgram'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

// A unit test starts no process and opens no socket: what does is a test of the project `process`.

function refuse(what: string): () => never {
  return () => {
    throw new Error(`A unit test ${what}: name its file ….process.test.ts`)
  }
}

const starts = refuse('starts a process')
Object.assign(childProcess.ChildProcess.prototype, { spawn: starts })
Object.assign(childProcess, { spawnSync: starts, execSync: starts, execFileSync: starts })

const opens = refuse('opens a socket')
net.Server.prototype.listen = opens
net.Socket.prototype.connect = opens
Object.assign(dgram, { createSocket: opens })
syncBuiltinESMExports()

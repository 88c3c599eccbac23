// npm run chaos: runs with a random fault at a random moment, on a Slurm of this machine. See its --help.
import { findSlurm } from './find-beds.mjs'
import { runCommand } from './run-command.mjs'

await runCommand('test/support/faults/chaos-command.ts', findSlurm)

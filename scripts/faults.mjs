// npm run faults: the fault matrix on a Slurm of this machine. See its --help.
import { findSlurm } from './find-beds.mjs'
import { runCommand } from './run-command.mjs'

await runCommand('test/support/faults/faults-command.ts', findSlurm)

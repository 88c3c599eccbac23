// npm run clean-runs: runs of a trivial program, each of which has to end without a trace. See its --help.
import { runCommand } from './run-command.mjs'

await runCommand('test/support/faults/clean-runs-command.ts')

import { holdSignals } from '../util/early-signals.ts'
import { ownCommands } from '../util/own-commands.ts'
import { keepOutputBlocking } from '../util/own-output.ts'
import { beginOwnProcess } from '../util/own-process.ts'

// From the first moment; everything else is loaded only then.
holdSignals()
keepOutputBlocking()
beginOwnProcess()

const args = process.argv.slice(2)
const own = ownCommands.find((command) => command === args[0])
if (own === undefined)
  void import('./program.ts').then(async ({ main }) => {
    await main(args)
  })
else
  void import('./own-commands.ts').then(async ({ runOwnCommand }) => {
    await runOwnCommand(own)
  })

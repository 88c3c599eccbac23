import { holdSignals } from '../util/early-signals.ts'
import { beginOwnProcess } from '../util/own-process.ts'

// From the first moment; everything else is loaded only then.
holdSignals()
beginOwnProcess()

void import('./program.ts').then(async ({ main }) => {
  await main(process.argv.slice(2))
})

import { holdSignals } from '../util/early-signals.ts'

// From the first moment; everything else is loaded only then.
holdSignals()

void import('./program.ts').then(async ({ main }) => {
  await main(process.argv.slice(2))
})

import { holdSignals } from '../util/early-signals.ts'

// From the first moment; everything else is loaded only then.
holdSignals()

const { main } = await import('./program.ts')
await main(process.argv.slice(2))

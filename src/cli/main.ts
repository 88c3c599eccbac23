// Node's own answer to USR1 would be to open its inspector, and USR2 would end us: neither may come
// before the runner takes the signals over. Everything else is loaded only then.
for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => undefined)

const { main } = await import('./program.ts')
await main(process.argv.slice(2))

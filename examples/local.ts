// A cluster of three workers on this machine: node local.js
import { LocalRunner } from 'dask-hpc-runner'

await using runner = await LocalRunner.start({ ntasks: 3, layout: 'shared' })

const dashboard = `http://127.0.0.1:${Number(runner.record.services?.dashboard)}`
const health = await fetch(`${dashboard}/health`)
console.log(`${runner.nWorkers} workers, scheduler is ${await health.text()}`)

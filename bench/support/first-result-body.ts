// What first_result.py does with `--workers`, as the body of a TypeScript program: first-result-body.ts LAYOUT
import { Client, py, SLURMRunner } from 'dask-hpc-runner'

const say = (word: string): void => {
  process.stdout.write(`${word} ${Date.now() / 1000}\n`)
}

const layout = process.argv[2] === 'shared' ? 'shared' : 'exclusive'
await using runner = await SLURMRunner.start({ schedulerFile: 'F.json', nthreads: 1, layout })
{
  await using client = await Client.connect(runner)
  await client.waitForWorkers(runner.nWorkers)
  if ((await client.submit(py<number>`sum`, [[1, 2]]).result()) !== 3) throw new Error('1 + 2 is not 3')
  say('first')
}
say('end')

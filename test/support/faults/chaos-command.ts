import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../slurm/directory.ts'
import { SlurmCluster } from '../slurm/slurm-cluster.ts'
import { type ChaosResult, draw, runChaos, formatStrike, type Surprise, wantsOwnHosts } from './chaos-run.ts'
import { defaultLimits, shortLimits } from './limits.ts'
import { HostPool, several, Turns, wordsOf } from './pool.ts'
import { ProcessTable } from './process-table.ts'
import { Random } from './random.ts'

const usage = `npm run chaos -- [options]: runs with a random fault at a random moment, on a Slurm of this machine
  --runs N     so many (default 100)
  --seed TEXT  decides the faults and their moments (default: drawn, and printed)
  --only I     only run I of that seed; may be repeated
  --from I     from run I on
  --short      with bounds that flags make short, as CI does
  --secure     each run with --secure
  --jobs N     so many at a time (default 4)`

/** Runs them. Gives the exit status: 1 where one of them did not end as it should. */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: 'string', default: '100' },
      seed: { type: 'string', default: randomBytes(4).toString('hex') },
      only: { type: 'string', multiple: true },
      from: { type: 'string', default: '0' },
      short: { type: 'boolean', default: false },
      secure: { type: 'boolean', default: false },
      jobs: { type: 'string', default: '4' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    say(usage)
    return 0
  }
  const limits = values.short ? shortLimits : defaultLimits
  const all = Array.from({ length: Number(values.runs) }, (_, i) => i)
  const numbers = values.only?.map(Number) ?? all.slice(Number(values.from))
  say(`seed ${values.seed}`)
  const surprises = numbers.map((number) => ({ number, ...draw(new Random(`${values.seed}/${number}`)) }))
  const own = surprises.some(wantsOwnHosts)
  const logs = join(root, '.cache/chaos', values.seed)
  await mkdir(logs, { recursive: true })
  const failed: number[] = []
  const statuses = new Map<string, number>()
  let struck = 0
  let slowest = 0
  const { secure } = values
  const settings = { KillWait: String(limits.killWait) }
  await using slurm = await SlurmCluster.start({ hosts: HostPool.hostsFor(Number(values.jobs), own), settings })
  const pool = new HostPool(slurm.nodes)
  const place = { slurm, table: new ProcessTable(slurm), secure, limits, starting: new Turns(2), giveUp: 0 }
  await several(surprises, Number(values.jobs), async (surprise) => {
    const result = await pool.use(wantsOwnHosts(surprise), async (hosts) => safely(surprise, { ...place, hosts }))
    const { number } = surprise
    await writeFile(join(logs, `${number}.log`), result.output)
    if (result.problems.length > 0) failed.push(number)
    if (result.struck) struck++
    slowest = Math.max(slowest, result.end.processes ?? Infinity)
    const status = String(result.status ?? 'none')
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    say(formatResult(number, result))
  })
  const counts = [...statuses].sort().map(([status, count]) => `${count} × ${status}`)
  say(`${numbers.length - failed.length} of ${numbers.length} runs held (seed ${values.seed}): ${struck} were struck`)
  say(`statuses: ${counts.join(', ')}; slowest ${slowest.toFixed(1)} s; output in ${logs}`)
  if (failed.length > 0)
    say(
      `again: npm run chaos --${secure ? ' --secure' : ''} --seed ${values.seed} ${failed.map((i) => `--only ${i}`).join(' ')}`,
    )
  return failed.length === 0 ? 0 : 1
}

async function safely(surprise: Surprise, place: Parameters<typeof runChaos>[1]): Promise<ChaosResult> {
  try {
    return await runChaos(surprise, place)
  } catch (error) {
    const message = wordsOf(error)
    const end = { processes: undefined, all: undefined, srun: undefined, left: '' }
    return { surprise, struck: false, problems: [message], end, status: undefined, output: message }
  }
}

function formatResult(number: number, { surprise, struck, problems, end, status }: ChaosResult): string {
  const what = `${formatStrike(surprise.strike)} after ${surprise.delay.toFixed(2)} s${struck ? '' : ' (too late)'}`
  const times = `${end.processes?.toFixed(1) ?? '-'} s, srun ${end.srun?.toFixed(1) ?? '-'} s, status ${status ?? '-'}`
  const why = problems.map((problem) => `\n     ${problem.replaceAll('\n', ', ')}`).join('')
  return `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${number}: ${what}: ${times}${why}`
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

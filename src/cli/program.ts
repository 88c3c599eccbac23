import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { formatPlan, plan, planFor } from '../commands/plan.ts'
import { exitStatuses, exitStatusOf, messageOf } from '../errors.ts'
import { completeOptions, type RunnerOptions } from '../options.ts'
import { LocalRunner } from '../runner/local-runner.ts'
import { SLURMRunner } from '../runner/slurm-runner.ts'
import { addRunOptions, type RunFlags, runnerOptions, wholeNumber } from './flags.ts'
import { runMember } from './member.ts'

const introduction =
  "Starts one Dask cluster out of the identical processes of a job, runs your program on it, and ends with your program's exit status."

const examples = `
In a Slurm job (process 0 becomes the scheduler, 1 runs the program, the others are workers):
  srun -N4 --ntasks-per-node=1 dask-hpc-runner run -- python client.py
The same on this machine, with four processes:
  dask-hpc-runner local -n 4 -- python client.py
In the program a plain dask.distributed.Client() finds the cluster.

Exit status: the program's own (128+n if signal n ended it), or
  64 the command line is wrong          73 the scheduler file cannot be published
  69 a part of the cluster was lost     75 the processes did not find each other in time
  70 an error of dask-hpc-runner        78 the environment is not that of a job
`

/** Runs the command line; ends the process with the exit status of what it did. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await program().parseAsync([...args], { from: 'user' })
  } catch (error) {
    process.exit(explain(error))
  }
}

function explain(error: unknown): number {
  // Commander has said what is wrong.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitStatuses.ERR_USAGE
  process.stderr.write(`dask-hpc-runner: error: ${messageOf(error)}\n`)
  return exitStatusOf(error)
}

function program(): Command {
  const root = new Command('dask-hpc-runner')
    .description(introduction)
    .version(packageJson.version)
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(dask-hpc-runner --help says more)')
    .addHelpText('after', examples)

  addRunOptions(
    root
      .command('run')
      .description('take part in the run: every process of the job runs this')
      .argument('[command...]', 'the client program; without it the cluster lives until a signal or the end of the job')
      .passThroughOptions(),
  ).action(async (command: string[], flags: RunFlags) => {
    await SLURMRunner.start(withCommand(command, runnerOptions(flags)))
  })

  addRunOptions(
    root
      .command('local')
      .description('the same on this machine: n processes as one simulated job')
      .argument('[command...]', 'the client program; without it the cluster lives until a signal')
      .option('-n, --ntasks <n>', 'number of processes', '4')
      .passThroughOptions(),
  ).action(async (command: string[], flags: RunFlags & { ntasks: string }) => {
    await LocalRunner.start({
      ...withCommand(command, runnerOptions(flags)),
      ntasks: wholeNumber('--ntasks', flags.ntasks),
    })
  })

  addRunOptions(
    root
      .command('plan')
      .description('who would do what; nothing is started')
      .option('-n, --ntasks <n>', 'plan for so many processes, outside of a job'),
  ).action((flags: RunFlags & { ntasks?: string }) => {
    const options = completeOptions(runnerOptions(flags))
    const table =
      flags.ntasks === undefined ? plan(options) : planFor({ ...options, size: wholeNumber('--ntasks', flags.ntasks) })
    process.stdout.write(`${formatPlan(table)}\n`)
  })

  root.command('member', { hidden: true }).action(runMember)
  return root
}

function withCommand([program, ...args]: readonly string[], options: RunnerOptions): RunnerOptions {
  if (program === undefined) return { ...options, client: false }
  if (options.client === false) throw new RangeError(`Cannot run "${program}" with --no-client: leave one of them out`)
  return { ...options, command: [program, ...args] }
}

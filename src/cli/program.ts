import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { exitStatuses, RunnerError } from '../errors.ts'
import { printableLines } from '../util/printable.ts'
import { forceExit } from '../util/io-timeout.ts'
import { addClusterCommands } from './cluster-commands.ts'
import { endAfter } from './end-after.ts'
import { ownTables } from '../options/command-table.ts'
import { addFlags, readOwnOptions, readRun, withClient } from './flags.ts'

const introduction =
  "Starts one Dask cluster out of the identical processes of a job, runs your program on it, and ends with your program's exit status."

const examples = `
In a Slurm job (rank 0 becomes the scheduler, 1 runs the program, the others are workers):
  srun -N4 --ntasks-per-node=1 dask-hpc-runner run -- python client.py
The same under an MPI launcher, where the processes meet over MPI:
  mpirun -n 4 dask-hpc-runner run -- python client.py
The same on this machine, with four processes:
  dask-hpc-runner local -n 4 -- python client.py
In the program a plain dask.distributed.Client() finds the cluster.

Exit status: the program's own (128+n if signal n ended it), or
  64 the command line is wrong          73 the scheduler file cannot be published
  69 a part of the cluster was lost     75 the processes did not find each other in time
  70 an error of dask-hpc-runner        78 the environment is not that of a job
plan, doctor, status, env, report and stop end with 74 where their output cannot be written.
`

/** Runs the command line; ends the process with the exit status of what it did. */
export async function main(args: readonly string[]): Promise<void> {
  await endAfter(async () => {
    checkText(args)
    try {
      await program(args).parseAsync([...args], { from: 'user' })
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error
      // Commander has said what is wrong, or what was asked for.
      forceExit(error.exitCode === 0 ? 0 : exitStatuses.ERR_USAGE)
    }
  })
}

/** Node puts this character in the place of what is no UTF-8. */
const replacement = '\ufffd'

/** @throws RunnerError ERR_USAGE for an argument whose bytes Node cannot hand on: a program would get others. */
function checkText(args: readonly string[]): void {
  const odd = args.find((arg) => arg.includes(replacement) && !wasGivenSo(arg))
  if (odd === undefined) return
  const advice = "have a shell name it by a pattern, such as sh -c 'python client.py data*.csv', or rename it"
  throw new RunnerError(`Cannot use the argument "${odd}": it is no UTF-8; ${advice}`, { code: 'ERR_USAGE' })
}

/** Whether this character is the user's own: some names of files have it. Where there is no `/proc`, nobody can tell. */
function wasGivenSo(arg: string): boolean {
  try {
    return readFileSync('/proc/self/cmdline').includes(`\0${arg}\0`)
  } catch {
    return true
  }
}

function program(args: readonly string[]): Command {
  const root = new Command('dask-hpc-runner')
    .description(introduction)
    .version(packageJson.version)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      outputError: (message, write) => {
        write(printableLines(message))
      },
    })
    .showHelpAfterError('(dask-hpc-runner --help says more)')
    .addHelpText('after', examples)
  // The options are many: they are made for a command that is named, and for no other.
  const withFlags: WithFlags = (command) => (args.includes(command.name()) ? addFlags(command) : command)

  addRunCommands(root, withFlags)
  addLookCommands(root, withFlags)
  addClusterCommands(root, withFlags)
  addRankCommand(root, async (command) => {
    await program(command).parseAsync([...command], { from: 'user' })
  })
  return root
}

type WithFlags = (command: Command) => Command

function addRunCommands(root: Command, withFlags: WithFlags): void {
  withFlags(
    root
      .command('spread')
      .description('start a run on every host of a job whose system starts one process only: what follows -- is run …')
      .argument('[command...]', 'run, with its options and the client program')
      .passThroughOptions(),
  ).action(async (command: string[], _flags: unknown, own: Command) => {
    const options = readOwnOptions(ownTables.spread, own)
    const { runSpread } = await import('./spread.ts')
    await runSpread(command, options)
  })

  withFlags(
    root
      .command('run')
      .description('take part in the run: every process of the job runs this')
      .argument('[command...]', 'the client program; without it the cluster lives until a signal or the end of the job')
      .passThroughOptions(),
  ).action(async (client: string[], _flags: unknown, command: Command) => {
    const { own } = readOwnOptions(ownTables.run, command)
    const options = withClient(client, readRun(command, client))
    const { startRunner } = await import('../runners/choose-runner.ts')
    await startRunner(own.runner, options)
  })

  withFlags(
    root
      .command('local')
      .description('the same on this machine: n processes as one simulated job')
      .argument('[command...]', 'the client program; without it the cluster lives until a signal')
      .passThroughOptions(),
  ).action(async (client: string[], _flags: unknown, command: Command) => {
    const { own } = readOwnOptions(ownTables.local, command)
    const options = withClient(client, readRun(command, client))
    const { LocalRunner } = await import('../runners/local/local-runner.ts')
    await LocalRunner.start({ ...options, ntasks: own.ntasks })
  })
}

/** What tells of a run without one. */
function addLookCommands(root: Command, withFlags: WithFlags): void {
  withFlags(root.command('plan').description('who would do what; nothing is started')).action(
    async (_flags: unknown, command: Command) => {
      const { own } = readOwnOptions(ownTables.plan, command)
      const { runPlan } = await import('./plan.ts')
      await runPlan(readRun(command), own)
    },
  )

  withFlags(
    root
      .command('doctor')
      .description(
        'what this machine or job has and lacks for a run with these options; with srun or mpirun, of all processes',
      )
      .argument('[command...]', 'the client program, whose Python is looked at; it is not started')
      .passThroughOptions(),
  ).action(async (client: string[], _flags: unknown, command: Command) => {
    const { own } = readOwnOptions(ownTables.doctor, command)
    const { runDoctor } = await import('./doctor.ts')
    await runDoctor(readRun(command, client), own)
  })
}

/** What `spread` starts on each host: it takes the command of its rank, and `start` does what that says. */
function addRankCommand(root: Command, start: (command: readonly string[]) => Promise<void>): void {
  root
    .command('rank', { hidden: true })
    .argument('[directory]')
    .argument('[number]')
    .action(async (directory?: string, number?: string) => {
      await start(await (await import('./rank.ts')).takeRank(directory, number))
    })
}

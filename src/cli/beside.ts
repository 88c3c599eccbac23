import { type Command, Option } from 'commander'
import { defaults } from '../defaults.ts'
import { sayDuration } from '../util/duration.ts'
import type { StatusFlags, StopFlags, WaitFlags } from './run-beside.ts'

/** Adds the commands around a running cluster: `wait`, `status` and `stop`. */
export function addCommandsBeside(root: Command): void {
  addTarget(
    root
      .command('wait')
      .description('wait for a running cluster and its workers, then run a program')
      .argument('[command...]', 'the program; its exit status is ours')
      .option('--workers <n>', 'how many workers have to run, or "all" that the run starts', '1')
      .option('--timeout <time>', `how long to wait for everything (default: ${sayDuration(defaults.waitTimeout)})`)
      .passThroughOptions(),
  ).action(
    async (command: string[], flags: WaitFlags) => await (await import('./run-beside.ts')).runWait(command, flags),
  )

  addTarget(
    root
      .command('status')
      .description('show a running cluster: its scheduler, dashboard, workers and tasks')
      .option('--json', 'print JSON')
      .option('--follow', 'show it again and again until the cluster ends')
      .option('--interval <time>', 'time between two looks with --follow', '2s')
      .option(
        '--timeout <time>',
        `how long the scheduler may take to answer (default: ${sayDuration(defaults.callTimeout)}; ` +
          `with --follow ${sayDuration(defaults.waitTimeout)})`,
      ),
  ).action(async (flags: StatusFlags) => await (await import('./run-beside.ts')).runStatus(flags))

  addTarget(
    root
      .command('stop')
      .description('end a running cluster; that there is none is fine')
      .option('--timeout <time>', `how long it may take to end (default: ${sayDuration(defaults.stopTimeout)})`),
  ).action(async (flags: StopFlags) => await (await import('./run-beside.ts')).runStop(flags))
}

function addTarget(command: Command): Command {
  return command
    .option(
      '--scheduler-file <path>',
      'the scheduler file of the cluster; {job_id} and {restart} are filled in (default: $DASK_HPC_RUNNER_SCHEDULER_FILE)',
    )
    .addOption(
      new Option('--scheduler <address>', "the scheduler's address in place of a file, such as tcp://10.0.0.1:8786"),
    )
    .option(
      '--tls-ca-file <path>',
      "certificates that sign those of the cluster, PEM (default: Dask's environment variables)",
    )
    .option('--tls-cert <path>', 'our certificate, PEM')
    .option('--tls-key <path>', 'its key, PEM')
}
